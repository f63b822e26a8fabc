import { BODY_FOLLOWS_FROM_UNITS } from '../contract/wire-text.ts';
import { base64Encode } from './base64.ts';
import { outgoingBody, sendStream } from './body.ts';
import { capText, describeThrown } from './describe-thrown.ts';
import { headerListOf } from './headers.ts';
import type { Input } from './input.ts';
import { inspect } from './inspect.ts';
import { fail, finish, type Invocation, outputTooLarge } from './invocation.ts';
import { hasOwn, isArray, jsonStringify } from './primordials.ts';
import { isResponse, type Response, responseHeaders, responseStatus } from './response.ts';
import type { ReadableStream } from './streams/readable-stream.ts';

/**
 * Writes what a handler returned as the invocation's answer. The envelope is put together from strings, so that nothing
 * that a plugin planted on a prototype can change its shape. A promise where the body is a stream, which is sent piece by piece; it
 * rejects with what the stream fails with.
 */
export function answer(invocation: Invocation, input: Input, result: unknown): Promise<void> | undefined {
  if (input.kind === 'http') return answerHttp(invocation, input.route, result);
  if (isResponse(result))
    return invalid(invocation, `${where(input)} returned a Response; only routes answer with one.`);
  const problem =
    input.kind === 'health' ? healthProblem(result) : input.kind === 'configure' ? configureProblem(result) : '';
  if (problem !== '') return invalid(invocation, problem);
  const json = jsonOf(invocation, where(input), result === undefined ? NOTHING[input.kind] : result);
  if (json !== null) finish(invocation, `{"kind":"value","value":${json}}`);
}

const JSON_HEAD = '"status":200,"headers":[["content-type","application/json"]]';

/** What returning nothing means. */
const NOTHING = {
  hook: null,
  schedule: null,
  describe: null,
  health: { status: 'ok' },
  configure: { ok: true },
} as const;

function answerHttp(invocation: Invocation, route: string, result: unknown): Promise<void> | undefined {
  if (isResponse(result)) return answerResponse(invocation, route, result);
  if (result === undefined) {
    return invalid(invocation, `${route} returned nothing. Return a Response, or a JSON value such as { ok: true }.`);
  }
  const json = jsonOf(invocation, route, result);
  if (json !== null) finishHttp(invocation, JSON_HEAD, json, 'utf8');
}

function answerResponse(invocation: Invocation, route: string, response: Response): Promise<void> | undefined {
  if (responseStatus(response) === 0) {
    return invalid(invocation, `${route} returned Response.error(), which cannot be sent.`);
  }
  if (response.bodyUsed) return invalid(invocation, `${route} returned a Response whose body was already read.`);
  const { content, stream } = outgoingBody(response);
  const head = headOf(response);
  if (stream !== null) return streamResponse(invocation, stream, head);
  const units = content === null ? 0 : content.length;
  if (units > invocation.limits.outputBytes) return outputTooLarge(invocation, units);
  if (content === null || typeof content === 'string') return finishHttp(invocation, head, content, 'utf8');
  finishHttp(invocation, head, base64Encode(content), 'base64');
}

async function streamResponse(invocation: Invocation, stream: ReadableStream, head: string): Promise<void> {
  if (await sendStream(invocation, stream, `{${head}}`)) finish(invocation, '{"kind":"streamed"}');
}

/** Status and headers, as fields of a JSON text. */
function headOf(response: Response): string {
  const list = headerListOf(responseHeaders(response));
  let headers = '';
  for (let at = 0; at < list.length; at += 1) {
    headers += `${at > 0 ? ',' : ''}[${jsonStringify(list[at]![0])},${jsonStringify(list[at]![1])}]`;
  }
  return `"status":${responseStatus(response)},"headers":[${headers}]`;
}

function finishHttp(invocation: Invocation, head: string, body: string | null, encoding: string): undefined {
  if (body !== null && body.length > invocation.limits.outputBytes) return outputTooLarge(invocation, body.length);
  const follows = body !== null && body.length >= BODY_FOLLOWS_FROM_UNITS;
  const fields = `${head},"body":${follows ? 'null' : jsonStringify(body)},"bodyEncoding":"${encoding}"`;
  finish(invocation, `{"kind":"http","response":{${fields}}}${follows ? `\n${body}` : ''}`);
}

/** JSON text of a result; null where it has none, and then the invocation has ended with a fault. */
function jsonOf(invocation: Invocation, from: string, value: unknown): string | null {
  try {
    const json = jsonStringify(value);
    if (json !== undefined) return json;
    invalid(invocation, `${from} returned ${capText(inspect(value), 200)}, which JSON cannot write.`);
  } catch (error) {
    invalid(invocation, `${from} returned something that JSON cannot write: ${describeThrown(error).message}`);
  }
  return null;
}

function healthProblem(result: unknown): string {
  if (result === undefined) return '';
  const status = isRecord(result) ? ownField(result, 'status') : undefined;
  if (status === 'ok' || status === 'degraded' || status === 'down') return '';
  return `health returned ${capText(inspect(result), 200)}; return { status: 'ok' | 'degraded' | 'down', message? }.`;
}

function configureProblem(result: unknown): string {
  if (result === undefined) return '';
  if (isRecord(result)) {
    const ok = ownField(result, 'ok');
    if (ok === true || (ok === false && isArray(ownField(result, 'faults')))) return '';
  }
  const shown = capText(inspect(result), 200);
  return `configure returned ${shown}; return { ok: true } or { ok: false, faults: [{ pointer, message }] }.`;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const ownField = (value: Record<string, unknown>, name: string): unknown =>
  hasOwn(value, name) ? value[name] : undefined;

function where(input: Input): string {
  switch (input.kind) {
    case 'http':
      return input.route;
    case 'hook':
      return `The hook ${input.event.hook}`;
    case 'schedule':
      return `The job ${input.name}`;
    default:
      return input.kind;
  }
}

function invalid(invocation: Invocation, message: string): undefined {
  fail(invocation, { code: 'plugin-answer-invalid', message });
}
