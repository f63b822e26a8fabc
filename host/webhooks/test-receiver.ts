import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook, type WebhookEvent } from '../../plugins-sdk/webhooks/verify-webhook.ts';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What came, as far as one of these secrets signed it; throws otherwise. */
  events(secrets: string | string[], nowMs?: number): WebhookEvent[];
  close(): Promise<void>;
}

/** A real server that receives; `answer` is asked once the body is there. */
export async function openReceiver(
  answer: RequestListener = (_, response) => void response.end('thanks'),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    events: (secrets, nowMs) =>
      received.map(({ headers, body }) =>
        verifyWebhook({ headers, body, secrets, ...(nowMs !== undefined && { nowMs }) }),
      ),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
