import type { GuestInput, PluginJob, WireBody } from './invocation.ts';
import { bodyApart } from './wire-text.ts';

/**
 * How an input reaches the guest: JSON in lines, for a guest parses what its plugin looks at and no more.
 *
 *   what is asked   for `http` an AskedHttp; else the GuestInput without its context
 *   the context     ContextFacts
 *   the headers     of the request, for `http`
 *   the body        for `http`, where it is long: as it is, the last line or many; then `body` above is null
 */
export type AskedHttp = [
  route: string,
  params: Record<string, string>,
  method: string,
  url: string,
  body: string | null,
  bodyEncoding: WireBody['bodyEncoding'],
  streamed: boolean,
];

/** Of a job with the JSON of its context and, where the writer has it already, that of its headers. */
export function inputText(job: PluginJob, contextJson: string, headersJson?: string): string {
  if (job.kind !== 'http') return `${JSON.stringify(job)}\n${contextJson}`;
  const { route, params, request } = job;
  const { carrier, following } = bodyApart(request);
  const { method, url, headers, body, bodyEncoding, streamed = false } = carrier;
  const asked: AskedHttp = [route, params, method, url, body, bodyEncoding, streamed];
  return `${JSON.stringify(asked)}\n${contextJson}\n${headersJson ?? JSON.stringify(headers)}${following}`;
}

export function textOfInput({ context, ...job }: GuestInput): string {
  return inputText(job, JSON.stringify(context));
}

/** Throws where `text` is not what `inputText` makes. */
export function readInputText(text: string): GuestInput {
  const contextAt = lineAfter(text, 0);
  const asked = JSON.parse(text.slice(0, contextAt - 1)) as AskedHttp | GuestInput;
  if (!Array.isArray(asked)) return { ...asked, context: JSON.parse(text.slice(contextAt)) };
  const [route, params, method, url, shortBody, bodyEncoding, streamed] = asked;
  const headersAt = lineAfter(text, contextAt);
  const bodyAt = text.indexOf('\n', headersAt) + 1;
  const headers = JSON.parse(bodyAt === 0 ? text.slice(headersAt) : text.slice(headersAt, bodyAt - 1));
  const body = bodyAt === 0 ? shortBody : text.slice(bodyAt);
  const request = { method, url, headers, body, bodyEncoding, ...(streamed && { streamed }) };
  return { kind: 'http', route, params, request, context: JSON.parse(text.slice(contextAt, headersAt - 1)) };
}

function lineAfter(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  if (end < 0)
    throw new SyntaxError(
      'An input has a line for what is asked, one for its context and, for http, one for its headers.',
    );
  return end + 1;
}
