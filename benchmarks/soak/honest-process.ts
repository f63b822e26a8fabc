import type { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type CallOptions, call, openConnections } from './call.ts';
import { HONEST_CLIENTS, type HonestClient, type HonestKind, type Visit } from './honest-clients.ts';
import { serveOrders } from './program.ts';
import { seeded } from './seeded.ts';

/** Honest traffic: a fixed number of clients, each of which sends its next request when the last one is answered. */
export type HonestOrder =
  | { op: 'start'; clients: ClientOrder[]; timeoutMs: number; seed: number }
  /** Pause of each client between two requests; none before. */
  | { op: 'pace'; pauseMs: number }
  | { op: 'stop' };

export interface ClientOrder {
  kind: HonestKind;
  /** Address of the installation, without a slash at the end. */
  url: string;
  token: string;
  /** Where it keeps its counts. */
  name: string;
}

/** Results of all clients, by column; row n is one request. */
export interface HonestRecord {
  client: Uint16Array;
  sentAtMs: Float64Array;
  tookMs: Float64Array;
  verdict: Uint8Array;
  /** What was lost or wrong, row by row; of each kind of failure a few say more. */
  /** Requests that the host asked to come again, because it had too much to do. */
  deferred: number;
  failures: {
    client: number;
    sentAtMs: number;
    tookMs: number;
    verdict: 'wrong' | 'lost';
    code: string;
    said: string;
  }[];
}

export const RIGHT = 0;
export const WRONG = 1;
export const LOST = 2;

export interface HonestEvent {
  sent: number;
  right: number;
  wrong: number;
  lost: number;
}

const EVENT_PERIOD_MS = 500;
const FAILURES_MAX = 1_000;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const rows: { client: number; sentAtMs: number; tookMs: number; verdict: number }[] = [];
const failures: HonestRecord['failures'] = [];
const counts: HonestEvent = { sent: 0, right: 0, wrong: 0, lost: 0 };
let running: Promise<void>[] = [];
let stopping = false;
let pauseMs = 0;
let deferred = 0;

const tell = serveOrders<HonestOrder>(async (order) => {
  if (order.op === 'start') return start(order);
  if (order.op === 'pace') {
    pauseMs = order.pauseMs;
    return null;
  }
  stopping = true;
  await Promise.all(running);
  return columns();
});
process.once('disconnect', () => process.exit());

function start({ clients, timeoutMs, seed }: Extract<HonestOrder, { op: 'start' }>): null {
  const agent = openConnections();
  running = clients.map(async ({ kind, url, token, name }, client) => {
    const random = seeded(seed + client);
    const honest = HONEST_CLIENTS[kind](name, random);
    while (!stopping) {
      const visit = honest.next();
      const sentAtMs = nowMs();
      counts.sent++;
      const answer = await callPatiently(agent, { url: url + visit.path, token, timeoutMs, ...visit });
      keep(client, sentAtMs, judge(honest, visit, answer), answer);
      await pause(pauseMs * (0.5 + random.next()));
    }
  });
  setInterval(() => tell(counts), EVENT_PERIOD_MS).unref();
  return null;
}

/**
 * A host that sheds load has done nothing yet and says when to come again, which well-behaved callers do. The wait counts
 * as part of the request's time; who is not let in before the timeout is lost.
 */
async function callPatiently(agent: Agent, options: CallOptions): Promise<Answer> {
  const untilMs = nowMs() + options.timeoutMs;
  for (;;) {
    const answer = await call(agent, options);
    const retryAfterMs = Number(answer.headers['retry-after']) * 1000;
    if (answer.code !== 'host-overloaded' || !(retryAfterMs > 0) || nowMs() + retryAfterMs > untilMs) return answer;
    deferred++;
    await pause(retryAfterMs);
  }
}

interface Judged {
  verdict: number;
  said: string;
}

function judge(client: HonestClient, visit: Visit, { status, code, headers, body }: Answer): Judged {
  if (status < 200 || status > 299) {
    client.lost();
    return { verdict: LOST, said: `${status} ${code} ${body.toString('utf8', 0, 300)}` };
  }
  try {
    const difference = visit.check(body, headers);
    return difference === null ? { verdict: RIGHT, said: '' } : { verdict: WRONG, said: difference };
  } catch (error) {
    return { verdict: WRONG, said: `unreadable: ${String(error)}` };
  }
}

function keep(client: number, sentAtMs: number, { verdict, said }: Judged, { code }: Answer): void {
  const tookMs = nowMs() - sentAtMs;
  rows.push({ client, sentAtMs, tookMs, verdict });
  counts[verdict === RIGHT ? 'right' : verdict === WRONG ? 'wrong' : 'lost']++;
  if (verdict === RIGHT || failures.length >= FAILURES_MAX) return;
  const kind = verdict === WRONG ? 'wrong' : 'lost';
  failures.push({ client, sentAtMs, tookMs, verdict: kind, code: code || 'wrong-answer', said });
}

const columns = (): HonestRecord => ({
  client: Uint16Array.from(rows, ({ client }) => client),
  sentAtMs: Float64Array.from(rows, ({ sentAtMs }) => sentAtMs),
  tookMs: Float64Array.from(rows, ({ tookMs }) => tookMs),
  verdict: Uint8Array.from(rows, ({ verdict }) => verdict),
  deferred,
  failures,
});
