import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { FETCH_REQUEST_BYTES_MAX, FETCH_TIMEOUT_MS, type WireResponse } from '../../plugins-sdk/contract/index.ts';
import { hostsOf, isDeclared } from '../egress/declared-hosts.ts';
import { EgressRefusal } from '../egress/egress-refusal.ts';
import type { HeaderPairs } from '../egress/headers.ts';
import type { Egress, EgressResponse } from '../egress/send-request.ts';
import type { SecretReader } from '../secrets/contract.ts';
import { hideSecrets } from '../secrets/rules/hide-secrets.ts';
import type { CapabilityCalls } from './broker.ts';
import type { CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';

export interface FetchPorts {
  egress: Pick<Egress, 'send'>;
  secrets: SecretReader;
  nowMs(): number;
}

interface FetchArguments {
  url: string;
  method: string;
  headers: HeaderPairs;
  body: string | null;
  bodyEncoding: 'utf8' | 'base64';
  redirect: 'follow' | 'manual' | 'error';
}

/**
 * The capability `fetch`: one request with its whole answer. Where an installation has secrets for a host, the host adds them here and
 * takes them out of the answer, should the other side repeat them.
 */
export function fetchCalls({ egress, secrets, nowMs }: FetchPorts): Pick<CapabilityCalls, 'fetch.send'> {
  /** By the signal of the invocation, which is the same for all its calls and goes when it goes. */
  const sent = new WeakMap<AbortSignal, number>();

  return {
    'fetch.send': async (context, args: FetchArguments) => {
      const { installation, signal, deadlineAtMs } = context;
      const count = (sent.get(signal) ?? 0) + 1;
      if (count > installation.limits.fetches) {
        throw new CapabilityError(
          'fetch-limit',
          `${installation.limits.fetches} requests are allowed in one invocation.`,
        );
      }
      sent.set(signal, count);
      const body = args.body === null ? null : Buffer.from(args.body, args.bodyEncoding);
      if (body !== null && body.length > FETCH_REQUEST_BYTES_MAX) {
        throw new CapabilityError(
          'fetch-request-too-large',
          `The body has ${body.length} bytes; ${FETCH_REQUEST_BYTES_MAX} are allowed.`,
        );
      }
      const hosts = hostsOf(installation.manifest.fetchHosts ?? [], installation.config);
      /** Names of the secrets that were sent, by value. */
      const used = new Map<string, string>();
      try {
        const response = await egress.send({
          ownerId: installation.id,
          url: args.url,
          method: args.method,
          headers: withIdempotencyKey(args, context),
          body,
          redirect: args.redirect,
          mayReach: (url) => isDeclared(hosts, url),
          headersFor: async (url) => {
            const added = await secretHeaders(secrets, context, url);
            for (const { name, value } of added) used.set(value, name);
            if (added.length > 0) context.used('secrets');
            return added.map(({ header, text }) => [header, text]);
          },
          timeoutMs: Math.max(1, Math.min(FETCH_TIMEOUT_MS, deadlineAtMs - nowMs())),
          signal,
        });
        return toWire(response, used);
      } catch (error) {
        if (error instanceof EgressRefusal) throw new CapabilityError(error.code, error.message);
        throw error;
      }
    },
  };
}

/** Refuses with: secret-missing. */
async function secretHeaders(secrets: SecretReader, context: CapabilityContext, url: URL) {
  const { installation } = context;
  if (!context.isGranted('secrets')) return [];
  const bound = (installation.manifest.secrets ?? []).filter(
    ({ send }) => send && isDeclared(hostsOf(send.hosts, installation.config), url),
  );
  const added: { name: string; value: string; header: string; text: string }[] = [];
  for (const { name, optional, send } of bound) {
    const value = await secrets.read(installation.id, name);
    if (value !== null) {
      // As a function: in a replacement text `$&` and its like would stand for something.
      added.push({ name, value, header: send!.header, text: (send!.format ?? '{}').replace('{}', () => value) });
    } else if (!optional) {
      throw new CapabilityError(
        'secret-missing',
        `The operator has not entered the secret ${name}, which requests to ${url.host} need.`,
      );
    }
  }
  return added;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A request that changes something carries a key that is the same however often the invocation is executed, so that the other side
 * can tell a repetition (draft-ietf-httpapi-idempotency-key-header).
 */
function withIdempotencyKey(
  { method, headers, url, body }: FetchArguments,
  { invocationId, callSeq }: CapabilityContext,
): HeaderPairs {
  if (SAFE.has(method) || headers.some(([name]) => name.toLowerCase() === 'idempotency-key')) return headers;
  // With the request itself: an execution that takes another way must not seem to repeat what it does not.
  const hash = createHash('sha256')
    .update(JSON.stringify([invocationId, callSeq, method, url, body]))
    .digest('hex');
  return [...headers, ['idempotency-key', hash.slice(0, 32)]];
}

/** What travels into the isolate: a response, and where it came from. */
function toWire(
  { url, redirected, status, statusText, headers, body }: EgressResponse,
  used: ReadonlyMap<string, string>,
) {
  const clean = hideSecrets(body, used);
  const text = isUtf8(clean);
  const clear = (value: string) => hideSecrets(Buffer.from(value), used).toString();
  return {
    url: clear(url),
    redirected,
    status,
    statusText: clear(statusText),
    headers: headers.map(([name, value]): [string, string] => [name, clear(value)]),
    body: clean.length === 0 ? null : clean.toString(text ? 'utf8' : 'base64'),
    bodyEncoding: text ? 'utf8' : 'base64',
  } satisfies WireResponse & Record<string, unknown>;
}
