import type { WireResponse } from '../../plugins-sdk/contract/index.ts';

type Header = [name: string, value: string];
/** What a plugin gets to see. */
export type PluginHeaders = Header[];

/** Belong to one connection and never travel on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Credentials of the platform, and what a proxy says about the client: a plugin gets neither. */
const KEPT_FROM_PLUGINS = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'cookie',
  'cookie2',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-pseudo-ipv4',
  'cloudfront-viewer-address',
  'do-connecting-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-envoy-external-address',
]);

/** Whole families: proxies', load balancers' and our own. */
const KEPT_PREFIXES = /^(?:proxy-|x-forwarded-|x-original-|x-rewrite-|x-gatehouse-)/;

/**
 * What an answer of a plugin may not say, because it speaks for the whole origin (storage, transport, credentials,
 * reporting), because a proxy in front would obey it, or because it is the host's to say.
 */
const KEPT_FROM_CALLERS = new Set([
  ...HOP_BY_HOP,
  'accept-ch',
  'access-control-allow-credentials',
  'alt-svc',
  'clear-site-data',
  'content-length',
  'content-security-policy',
  'content-security-policy-report-only',
  'critical-ch',
  'cross-origin-embedder-policy',
  'cross-origin-embedder-policy-report-only',
  'cross-origin-opener-policy',
  'cross-origin-opener-policy-report-only',
  'date',
  'document-policy',
  'expect-ct',
  'nel',
  'origin-agent-cluster',
  'permissions-policy',
  'permissions-policy-report-only',
  'public-key-pins',
  'public-key-pins-report-only',
  'referrer-policy',
  'report-to',
  'reporting-endpoints',
  'server',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'set-login',
  'status',
  'strict-transport-security',
  'via',
  'www-authenticate',
  'x-content-type-options',
  'x-frame-options',
  'x-powered-by',
  'x-request-id',
  'x-sendfile',
  'x-lighttpd-send-file',
]);
const KEPT_ANSWER_PREFIXES = /^(?:proxy-|x-accel-|x-gatehouse-)/;

/** A second one would make the answer ambiguous: the first one counts. */
const ONCE = new Set([
  'content-type',
  'content-encoding',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110, 5.5: no control characters but tab, and only US-ASCII: how readers decode the rest is anybody's guess.
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

export const ANSWER_HEADERS_MAX = 100;
export const ANSWER_HEADER_BYTES_MAX = 16 * 1024;

const NAMES_MAX = 1_000;
const NAME_UNITS_MAX = 64;

/**
 * Remembers what `test` says of a name: nearly all requests have the same few. Names come from strangers, so neither many
 * nor long ones are kept.
 */
function remembered(test: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = test(name);
      if (known.size < NAMES_MAX && name.length <= NAME_UNITS_MAX) known.set(name, answer);
    }
    return answer;
  };
}

const reachesPlugins = remembered((name) => !KEPT_FROM_PLUGINS.has(name) && !KEPT_PREFIXES.test(name));
const reachesCallers = remembered(
  (name) => TOKEN.test(name) && !KEPT_FROM_CALLERS.has(name) && !KEPT_ANSWER_PREFIXES.test(name),
);

/** What a plugin may see of a request: `rawHeaders` of node:http in, lower-case pairs out, in the same order. */
export function headersForPlugin(rawHeaders: readonly string[]): PluginHeaders {
  const headers: PluginHeaders = [];
  let named: Set<string> | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (name === 'connection') named = connectionTokens(named, rawHeaders[at + 1]!);
    else if (reachesPlugins(name)) headers.push([name, rawHeaders[at + 1]!]);
  }
  return named === null ? headers : headers.filter(([name]) => !named.has(name));
}

/** A Connection header can name further headers that end here. */
function connectionTokens(known: Set<string> | null, value: string): Set<string> | null {
  const plain = value.toLowerCase();
  if (plain === 'keep-alive' || plain === 'close') return known;
  return new Set([...(known ?? []), ...plain.split(',').map((token) => token.trim())]);
}

/**
 * What a caller gets to see of a plugin's headers, flat: names and values in turn. Names and values that cannot be sent
 * are dropped; null where there are more headers than an answer may have.
 */
export function headersFromPlugin(headers: WireResponse['headers']): string[] | null {
  if (headers.length > ANSWER_HEADERS_MAX) return null;
  const flat: string[] = [];
  let seen: Set<string> | null = null;
  let bytes = 0;
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (!reachesCallers(name) || !FIELD_VALUE.test(value)) continue;
    if (ONCE.has(name)) {
      if (seen?.has(name)) continue;
      seen ??= new Set();
      seen.add(name);
    }
    bytes += name.length + value.length + 4;
    flat.push(name, value);
  }
  return bytes > ANSWER_HEADER_BYTES_MAX ? null : flat;
}
