import type { EgressResponse } from '../egress/send-request.ts';
import type { Log } from '../http/log.ts';
import type { Attempt } from './contract.ts';
import type { DueDelivery, DueStore } from './due-store.ts';
import { mustPause, waitMs } from './rules/next-attempt.ts';
import { signatureOf } from './rules/sign-delivery.ts';

const AT_ONCE = 50;
/** So that nobody's endpoints, however slow, take the whole of it. */
const AT_ONCE_OF_ORGANISATION = 10;
const AT_ONCE_OF_ENDPOINT = 5;
/** Longer than an attempt can take, so that nobody else begins before it has ended. */
const CLAIM_MS = 60_000;
const EXCERPT_CHARS_MAX = 1_024;
const CLOSE_MS = 1_000;

export interface DeliverPorts {
  store: Pick<DueStore, 'claim' | 'end' | 'pause'>;
  /** Sends to the public internet only; follows nothing. Rejects where no answer came. */
  post(request: PostRequest): Promise<Pick<EgressResponse, 'status' | 'body'>>;
  openSecret(id: string, sealed: Buffer): string;
  /** Until the whole answer must be there. */
  timeoutMs: number;
  log: Pick<Log, 'warn' | 'error'>;
  nowMs(): number;
  /** 0 to 1. */
  random(): number;
}

export interface PostRequest {
  ownerId: string;
  url: string;
  headers: [name: string, value: string][];
  body: Buffer;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Deliverer {
  /** Begins to send what is due; resolves when it has begun, not when it has been sent. */
  tick(): Promise<void>;
  /** Waits for what is being sent. */
  settled(): Promise<void>;
  /** Lets what is being sent end within a second; what does not is sent again, by whichever host. */
  close(): Promise<void>;
}

/** Sends deliveries that are due, so many at once, and writes how that ended. */
export function createDeliverer(ports: DeliverPorts): Deliverer {
  const { store, nowMs, log } = ports;
  const sending = new Map<Promise<void>, string>();
  const closing = new AbortController();
  let isClosing = false;
  let ticking: Promise<void> | null = null;

  const claimAndSend = async (): Promise<void> => {
    const room = AT_ONCE - sending.size;
    if (isClosing || room <= 0) return;
    const now = nowMs();
    const limits = { all: room, ofOrganisation: AT_ONCE_OF_ORGANISATION, ofEndpoint: AT_ONCE_OF_ENDPOINT };
    const due = await store.claim(new Date(now), new Date(now + CLAIM_MS), limits);
    for (const delivery of due) {
      const sent = deliver(ports, delivery, closing.signal)
        .catch((error) => log.error({ err: error, deliveryId: delivery.id }, 'webhook delivery not written'))
        .finally(() => {
          sending.delete(sent);
          // The next ones of this endpoint need not wait for the clock.
          if (![...sending.values()].includes(delivery.endpointId)) void tick().catch(() => {});
        });
      sending.set(sent, delivery.endpointId);
    }
  };
  const tick = (): Promise<void> => {
    ticking ??= claimAndSend().finally(() => {
      ticking = null;
    });
    return ticking;
  };
  const settled = async (): Promise<void> => {
    while (sending.size > 0 || ticking !== null) await Promise.allSettled([...sending.keys(), ticking]);
  };
  return {
    tick,
    settled,
    close: async () => {
      // What is begun now would be cut, and wait for its claim to run out.
      isClosing = true;
      const timer = setTimeout(() => closing.abort(), CLOSE_MS);
      await settled();
      clearTimeout(timer);
      closing.abort();
    },
  };
}

async function deliver(ports: DeliverPorts, delivery: DueDelivery, signal: AbortSignal): Promise<void> {
  const { store, nowMs, random, log } = ports;
  const startedMs = nowMs();
  const answer = await attemptOf(ports, delivery, signal);
  // Nobody knows how it would have ended; the claim runs out, and it is sent again.
  if (signal.aborted) return;
  const atMs = nowMs();
  const done = answer.status !== null && answer.status >= 200 && answer.status < 300 && answer.error === null;
  const wait = done ? null : waitMs(delivery.attempts, random());
  const attempt: Attempt = { at: new Date(startedMs).toISOString(), ms: Math.max(0, atMs - startedMs), ...answer };
  const nextAt = wait === null ? null : new Date(atMs + wait);
  const failingSince = await store.end({ delivery, attempt, done, nextAt, at: new Date(atMs) });
  if (failingSince === null || !mustPause(failingSince.getTime(), atMs)) return;
  const { endpointId, organisationId } = delivery;
  if (await store.pause(delivery, failingSince, new Date(atMs)))
    log.warn({ endpointId, organisationId }, 'webhooks paused');
}

async function attemptOf(
  { post, openSecret, timeoutMs, nowMs }: DeliverPorts,
  delivery: DueDelivery,
  signal: AbortSignal,
): Promise<Pick<Attempt, 'status' | 'error' | 'excerpt'>> {
  const { id, url, event, organisationId, secrets, createdAt } = delivery;
  const told = event ?? pingOf(id, createdAt);
  const body = JSON.stringify(told);
  try {
    const opened = secrets.map((secret) => openSecret(secret.id, secret.sealed));
    const signature = signatureOf({ id, timestamp: Math.floor(nowMs() / 1_000), body }, opened);
    const { status, body: answer } = await post({
      ownerId: `webhooks ${organisationId}`,
      url,
      headers: [
        ['content-type', 'application/json'],
        ['gatehouse-delivery', id],
        ['gatehouse-event', told.id],
        ['gatehouse-event-type', told.type],
        ['gatehouse-signature', signature],
      ],
      body: Buffer.from(body, 'utf8'),
      timeoutMs,
      signal,
    });
    const isRedirect = status >= 300 && status < 400;
    const error = isRedirect ? 'The answer is a redirect, which is not followed; change the address instead.' : null;
    return { status, error, excerpt: excerptOf(answer) };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    // Where a name leads to inside would tell strangers of the network that this host is in.
    const said = code === 'fetch-address-refused' ? 'The address leads to no host on the public internet.' : message;
    // Of the way out, and of the envelope: both say nothing of this host.
    const why = typeof code === 'string' ? `${code}: ${said}` : 'The delivery could not be made.';
    return { status: null, error: why.slice(0, 500), excerpt: '' };
  }
}

/** As an event, so that receivers need no second way to read. */
const pingOf = (id: string, at: Date) => ({
  ...{ id, position: null, type: 'webhook.ping', version: 1 },
  ...{ at: at.toISOString(), payload: {} },
});

const excerptOf = (body: Buffer): string =>
  body
    .subarray(0, 4 * EXCERPT_CHARS_MAX)
    .toString('utf8')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal or a database would take for something else
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ')
    .slice(0, EXCERPT_CHARS_MAX)
    .toWellFormed();
