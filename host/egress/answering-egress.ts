import { EgressRefusal } from './egress-refusal.ts';
import { areSendable, settable, withHeaders } from './headers.ts';
import { checkedUrl, type Egress } from './send-request.ts';

/** Answers a request in place of the internet. */
export type AnswerRequest = (request: Request) => Response | Promise<Response>;

/**
 * An egress for tests of plugins: urls, declared hosts, headers and secrets are treated as in production, and then `answer` is asked
 * instead of the network. Without one nothing answers.
 */
export const answeringEgress = (answer: AnswerRequest | null): Pick<Egress, 'send'> => ({
  send: async (request) => {
    const { method, body, mayReach } = request;
    if (!areSendable(request.headers))
      throw new EgressRefusal('fetch-url-refused', 'A header cannot be carried by HTTP.');
    const url = checkedUrl({ allowHttp: false }, { mayReach }, request.url);
    const headers = withHeaders(settable(request.headers), await request.headersFor(url));
    if (answer === null) {
      throw new EgressRefusal('fetch-failed', `Nothing answers for ${url.host} here; pass \`fetch\` to the harness.`);
    }
    const answered = await answer(new Request(url, { method, headers, body: body && new Uint8Array(body) }));
    return {
      url: url.href,
      redirected: false,
      status: answered.status,
      statusText: answered.statusText,
      headers: [...answered.headers],
      body: Buffer.from(await answered.arrayBuffer()),
    };
  },
});
