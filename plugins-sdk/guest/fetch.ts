import {
  FETCH_HEADER_UNITS_MAX,
  FETCH_HEADERS_MAX,
  FETCH_REQUEST_BYTES_MAX,
  FETCH_URL_UNITS_MAX,
} from '../contract/capabilities/sizes.ts';
import type { AbortSignal } from './abort.ts';
import { base64Encode } from './base64.ts';
import { type BodyContent, drainStream, outgoingBody } from './body.ts';
import { CapabilityError } from './capability-error.ts';
import { EventTarget } from './events.ts';
import { type HeaderList, headerListOf } from './headers.ts';
import { callHost, currentInvocation, type Invocation } from './invocation.ts';
import { defineHidden, jsonStringify, NativePromise, NativeTypeError, uncurryThis } from './primordials.ts';
import { Request } from './request.ts';
import { type HostAnswer, type Response, responseFromHost } from './response.ts';
import { utf8LengthOver } from './utf8.ts';

type FetchOptions = ConstructorParameters<typeof Request>[1] & { redirect?: string };

type Listen = (target: AbortSignal, type: string, listener: () => void) => void;
const listen = uncurryThis(EventTarget.prototype.addEventListener) as Listen;
const unlisten = uncurryThis(EventTarget.prototype.removeEventListener) as Listen;

/** Fetch's fetch: one host call for the request and its whole answer. Rejects with a TypeError whose `code` says why. */
export async function fetch(input: string | URL | Request, options: FetchOptions = {}): Promise<Response> {
  const invocation = currentInvocation();
  if (invocation === null)
    throw new NativeTypeError('fetch needs an invocation: call it in a handler, not at the top level');
  const request = new Request(input, options);
  const redirect = `${options?.redirect ?? (input as { redirect?: unknown })?.redirect ?? 'follow'}`;
  if (redirect !== 'follow' && redirect !== 'manual' && redirect !== 'error') {
    throw new NativeTypeError(`redirect is follow, manual or error, not ${redirect}`);
  }
  const { signal } = request;
  if (signal.aborted) throw signal.reason;
  return responseFromHost((await untilAborted(signal, send(invocation, request, redirect))) as HostAnswer);
}

async function send(invocation: Invocation, request: Request, redirect: string): Promise<unknown> {
  const { signal } = request;
  const { content, stream } = outgoingBody(request);
  // A body that is a stream is read to its end first: the host takes requests whole.
  const drained = stream === null ? null : await drainStream(stream, FETCH_REQUEST_BYTES_MAX, signal);
  // What was read until then is no body.
  if (signal.aborted) throw signal.reason;
  if (drained?.bytes === null) throw tooLong(drained.length);
  const args = argumentsOf(request, drained === null ? content : drained.bytes, redirect);
  try {
    return await callHost(invocation, 'fetch.send', args);
  } catch (refusal) {
    if (!(refusal instanceof CapabilityError)) throw refusal;
    const error = new NativeTypeError(`fetch failed: ${refusal.message}`);
    defineHidden(error, 'code', refusal.code);
    defineHidden(error, 'cause', refusal);
    throw error;
  }
}

/**
 * The request goes on when its signal aborts, as it does when a network is slow; only nobody waits for it any more. A signal that outlives the
 * request must not keep its answer.
 */
function untilAborted(signal: AbortSignal, sent: Promise<unknown>): Promise<unknown> {
  return new NativePromise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    listen(signal, 'abort', stop);
    void settle(sent, resolve, reject, () => unlisten(signal, 'abort', stop));
  });
}

async function settle(
  sent: Promise<unknown>,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
  end: () => void,
): Promise<void> {
  try {
    resolve(await sent);
  } catch (error) {
    reject(error);
  }
  end();
}

const tooLong = (bytes: number): TypeError =>
  new NativeTypeError(`The body has ${bytes} bytes; ${FETCH_REQUEST_BYTES_MAX} are allowed`);

/** JSON for the host, which checks all of it again. Nothing larger than it takes leaves the isolate. */
function argumentsOf(request: Request, content: BodyContent, redirect: string): string {
  const { url, method } = request;
  if (url.length > FETCH_URL_UNITS_MAX) throw new NativeTypeError(`A URL may have ${FETCH_URL_UNITS_MAX} characters`);
  const bytes =
    content === null
      ? 0
      : typeof content === 'string'
        ? utf8LengthOver(content, FETCH_REQUEST_BYTES_MAX)
        : content.length;
  if (bytes > FETCH_REQUEST_BYTES_MAX) {
    throw tooLong(bytes);
  }
  const body = content === null ? 'null' : jsonStringify(typeof content === 'string' ? content : base64Encode(content));
  const encoding = content === null || typeof content === 'string' ? 'utf8' : 'base64';
  const head = `"url":${jsonStringify(url)},"method":${jsonStringify(method)},"headers":${headersJson(headerListOf(request.headers))}`;
  return `{${head},"body":${body},"bodyEncoding":"${encoding}","redirect":"${redirect}"}`;
}

function headersJson(list: HeaderList): string {
  if (list.length > FETCH_HEADERS_MAX) throw new NativeTypeError(`A request may have ${FETCH_HEADERS_MAX} headers`);
  let json = '';
  for (let at = 0; at < list.length; at += 1) {
    const name = list[at]![0];
    const value = list[at]![1];
    if (name.length > 128 || value.length > FETCH_HEADER_UNITS_MAX) {
      throw new NativeTypeError(`A header may have a name of 128 and a value of ${FETCH_HEADER_UNITS_MAX} characters`);
    }
    json += `${at === 0 ? '' : ','}[${jsonStringify(name)},${jsonStringify(value)}]`;
  }
  return `[${json}]`;
}
