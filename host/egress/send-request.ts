import type { BlockList } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Agent, Dispatcher } from 'undici';
import { FETCHES_AT_ONCE_MAX } from '../../plugins-sdk/contract/index.ts';
import { EgressRefusal, heldTooMuch, tooLarge } from './egress-refusal.ts';
import { guardedConnector } from './guarded-connector.ts';
import {
  areSendable,
  type HeaderPairs,
  headerOf,
  received,
  settable,
  withHeaders,
  withoutBody,
  withoutCredentials,
} from './headers.ts';
import { type HeldBody, type HoldBody, heldBodies } from './held-bodies.ts';
import { ownerLines } from './owner-lines.ts';
import { ACCEPT_ENCODING, discard, readBody } from './read-body.ts';
import type { ResolveHost } from './resolve-host.ts';

export interface EgressRequest {
  /** Requests of different owners never share a connection, nor wait for each other. */
  ownerId: string;
  url: string;
  method: string;
  headers: HeaderPairs;
  body: Buffer | null;
  redirect: 'follow' | 'manual' | 'error';
  /** Whether the one who asks may reach a URL; asked again for every redirect. */
  mayReach(url: URL): boolean;
  /**
   * Secrets that the host adds for a URL, as headers; asked again for every redirect. Over http: they are sent to addresses of this
   * machine alone.
   */
  headersFor(url: URL): Promise<HeaderPairs>;
  /** Milliseconds until the whole answer must be there, those among them that it waits for other requests of its owner. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface EgressResponse {
  /** Where the answer came from, after redirects. */
  url: string;
  redirected: boolean;
  status: number;
  statusText: string;
  headers: HeaderPairs;
  /** Decoded. */
  body: Buffer;
}

export interface EgressOptions {
  resolveHost: ResolveHost;
  /** Ranges that may be reached although they are not the public internet. */
  allowed: readonly BlockList[];
  /** Whether `http:` is allowed beside `https:`. */
  allowHttp: boolean;
  /** Of an answer, before and after it is decoded. */
  responseBytesMax: number;
  userAgent: string;
  /** What all answers together may hold that have begun and not ended; 256 MiB where absent. */
  heldBytesMax?: number;
  /** Certificates to trust instead of the system's, PEM; for tests. */
  ca?: string;
}

/** Requests to the outside on behalf of plugins: the only way there is. */
export interface Egress {
  /** Rejects with EgressRefusal, or with what `headersFor` rejected with. */
  send(request: EgressRequest): Promise<EgressResponse>;
  close(): Promise<void>;
}

const REDIRECTS_MAX = 5;
const HEADERS_MAX = 100;
const HEADER_BYTES_MAX = 32 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS_PER_ORIGIN = 6;
const HELD_BYTES_MAX = 256 * 1024 * 1024;
const AGENTS_MAX = 500;
const AGENT_KEEP_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Opens nothing until the first request, and does not read its HTTP client before: a host whose plugins fetch nothing goes without. */
export function createEgress(options: EgressOptions): Egress {
  const agents = new LRUCache<string, Agent>({
    max: AGENTS_MAX,
    ttl: AGENT_KEEP_MS,
    updateAgeOnGet: true,
    // Waits for what still runs over it.
    dispose: (agent) => void agent.close().catch(() => {}),
  });
  const lines = ownerLines(FETCHES_AT_ONCE_MAX);
  const hold = heldBodies(options.heldBytesMax ?? HELD_BYTES_MAX);
  let client: Promise<(ownerId: string) => AgentFor> | null = null;
  const openClient = async () => {
    const { Agent, buildConnector } = await import('undici');
    const connectTo = (loopbackOnly: boolean) =>
      guardedConnector({ ...options, loopbackOnly, buildConnector, connectTimeoutMs: CONNECT_TIMEOUT_MS });
    const connectors = { anywhere: connectTo(false), loopback: connectTo(true) };
    return (ownerId: string) => (reach: keyof typeof connectors) => {
      const key = `${reach} ${ownerId}`;
      const known = agents.get(key);
      if (known) return known;
      const agent = new Agent({
        connect: connectors[reach],
        connections: CONNECTIONS_PER_ORIGIN,
        pipelining: 1,
        maxHeaderSize: HEADER_BYTES_MAX,
        maxResponseSize: options.responseBytesMax,
      });
      agents.set(key, agent);
      return agent;
    };
  };

  return {
    send: async (request) => {
      const timeout = AbortSignal.timeout(request.timeoutMs);
      const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
      try {
        await lines.enter(request.ownerId, signal);
        try {
          client ??= openClient();
          const agentOf = await client;
          return await follow(options, agentOf(request.ownerId), hold, request, signal);
        } finally {
          lines.leave(request.ownerId);
        }
      } catch (error) {
        throw error instanceof NotOurs
          ? error.cause
          : asRefusal(error, timeout.aborted, request.timeoutMs, options.responseBytesMax);
      }
    },
    close: async () => {
      const open = [...agents.values()];
      agents.clear();
      await Promise.allSettled(open.map((agent) => agent.destroy()));
    },
  };
}

type AgentFor = (reach: 'anywhere' | 'loopback') => Agent;

/** What is sent in one hop. */
type Hop = Pick<EgressRequest, 'method' | 'headers' | 'body'> & { url: URL };

async function follow(
  options: EgressOptions,
  agentFor: AgentFor,
  hold: HoldBody,
  request: EgressRequest,
  signal: AbortSignal,
): Promise<EgressResponse> {
  if (!areSendable(request.headers))
    throw new EgressRefusal('fetch-url-refused', 'A header has a name or a value that HTTP cannot carry.');
  const { method, body } = request;
  const url = checkedUrl(options, request, request.url);
  let hop: Hop = { url, method, headers: settable(request.headers), body };
  for (let redirects = 0; ; redirects += 1) {
    const answer = await sendOnce(options, agentFor, request, hop, signal);
    const headers = pairsOf(answer.headers as unknown as string[]);
    const location = headerOf(headers, 'location');
    if (request.redirect === 'manual' || !REDIRECTS.has(answer.statusCode) || location === null) {
      return read(options, hop, answer, headers, redirects > 0, (giveUp) => hold(request.ownerId, giveUp));
    }
    discard(answer.body);
    if (request.redirect === 'error')
      throw new EgressRefusal('fetch-failed', 'The answer is a redirect, which the request does not allow.');
    if (redirects === REDIRECTS_MAX) {
      throw new EgressRefusal(
        'fetch-redirects-exceeded',
        `The answer is redirect number ${redirects + 1}; ${REDIRECTS_MAX} are followed.`,
      );
    }
    hop = redirected(hop, answer.statusCode, checkedUrl(options, request, location, hop.url));
  }
}

/** Refuses with: fetch-url-refused, fetch-host-undeclared. */
export function checkedUrl(
  { allowHttp }: Pick<EgressOptions, 'allowHttp'>,
  { mayReach }: Pick<EgressRequest, 'mayReach'>,
  text: string,
  base?: URL,
): URL {
  const url = URL.parse(text, base);
  if (url === null) throw new EgressRefusal('fetch-url-refused', 'The address is not a well-formed URL.');
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) {
    throw new EgressRefusal('fetch-url-refused', `Requests go to https: only, not to ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressRefusal('fetch-url-refused', 'A URL must not hold a user name or password; use a header.');
  }
  if (!mayReach(url)) {
    throw new EgressRefusal('fetch-host-undeclared', `The manifest does not declare ${url.host} in fetchHosts.`);
  }
  return url;
}

async function sendOnce(
  { userAgent }: EgressOptions,
  agentFor: AgentFor,
  { headersFor }: EgressRequest,
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const secrets = await headersFor(url).catch(notOurs);
  const own: HeaderPairs = [['accept-encoding', ACCEPT_ENCODING], ...secrets];
  const missing: HeaderPairs = [
    ['user-agent', userAgent],
    ['accept', '*/*'],
  ];
  const all = withHeaders(withHeaders(missing, headers), own);
  return agentFor(secrets.length > 0 && url.protocol === 'http:' ? 'loopback' : 'anywhere').request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: method as Dispatcher.HttpMethod,
    headers: all.flat(),
    body,
    signal,
    headersTimeout: 0,
    bodyTimeout: 0,
    responseHeaders: 'raw',
  });
}

/** Carries what a port threw past the translation of what the network threw. */
class NotOurs extends Error {}
function notOurs(cause: unknown): never {
  throw new NotOurs('', { cause });
}

const pairsOf = (raw: string[]): HeaderPairs =>
  Array.from({ length: raw.length / 2 }, (_, at) => [String(raw[2 * at]), String(raw[2 * at + 1])]);

async function read(
  { responseBytesMax }: EgressOptions,
  { url, method }: Hop,
  { statusCode, statusText, body }: Dispatcher.ResponseData,
  headers: HeaderPairs,
  isRedirected: boolean,
  hold: (giveUp: () => void) => HeldBody,
): Promise<EgressResponse> {
  if (headers.length > HEADERS_MAX) {
    discard(body);
    throw new EgressRefusal(
      'fetch-response-too-large',
      `The answer has ${headers.length} headers; ${HEADERS_MAX} are allowed.`,
    );
  }
  // What a HEAD request says about an encoding is about bytes that do not come.
  const encoding = method === 'HEAD' ? null : headerOf(headers, 'content-encoding');
  if (method !== 'HEAD' && Number(headerOf(headers, 'content-length')) > responseBytesMax) {
    discard(body);
    throw tooLarge(responseBytesMax);
  }
  const held = hold(() => body.destroy(heldTooMuch()));
  const bytes = await readBody(body, encoding, responseBytesMax, held).finally(held.release);
  return {
    url: url.href,
    redirected: isRedirected,
    status: statusCode,
    statusText,
    headers: received(headers),
    body: bytes,
  };
}

/** The request that a redirect asks for (Fetch, HTTP-redirect fetch). */
function redirected({ url: from, method, headers, body }: Hop, status: number, url: URL): Hop {
  const toGet = (status === 303 && method !== 'GET' && method !== 'HEAD') || (status < 303 && method === 'POST');
  const kept = url.origin === from.origin ? headers : withoutCredentials(headers);
  return toGet ? { url, method: 'GET', headers: withoutBody(kept), body: null } : { url, method, headers: kept, body };
}

function asRefusal(error: unknown, isTimeout: boolean, timeoutMs: number, responseBytesMax: number): EgressRefusal {
  if (error instanceof EgressRefusal) return error;
  if (isTimeout) return new EgressRefusal('fetch-timeout', `The answer was not there within ${timeoutMs} ms.`);
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new EgressRefusal('fetch-timeout', `No connection within ${CONNECT_TIMEOUT_MS} ms.`);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new EgressRefusal(
      'fetch-response-too-large',
      `The headers of the answer have more than ${HEADER_BYTES_MAX} bytes.`,
    );
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return tooLarge(responseBytesMax);
  }
  // Codes only: messages of the system name addresses and paths of the host.
  const why = code ?? cause?.code ?? 'unknown';
  return new EgressRefusal('fetch-failed', `The request failed on the network (${why}).`);
}
