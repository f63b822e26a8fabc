import { createContext, runInContext } from 'node:vm';
import { PARTS_GLOBAL, splitGuest } from '../contract/guest-text.ts';
import type { ContextFacts, GuestInput, GuestRecord, TurnHead } from '../contract/index.ts';
import { readRecords, readWireText, textOfInput, turnText } from '../contract/index.ts';
import { buildGuest } from './build-guest.ts';

/** Limits small enough to be reached by tests. */
export const TEST_LIMITS = { outputBytes: 64 * 1024, hostCalls: 20, timers: 10, pieces: 20, logBytes: 8 * 1024 };

const CONTEXT: ContextFacts = {
  invocationId: 'i1',
  installation: { id: 'inst', slug: 'shop', version: '1.0.0' },
  operator: { id: 'op', slug: 'arcade' },
  caller: null,
  grants: ['kv', 'log', 'config'],
  config: null,
};

export interface GuestRun {
  records: GuestRecord[];
  output: unknown;
  fault: { code: string; message: string; [fact: string]: unknown } | null;
  logs: { name: string; message: string; facts?: unknown }[];
}

type HostAnswer = { ok: boolean; value: unknown };
type HostStub = (name: string, args: never) => HostAnswer;

/**
 * For tests of the guest runtime alone: a bare V8 context of this process, driven by the turn protocol. It shows what the
 * guest does, not what holds it: limits of time and memory are the sandbox's.
 */
export async function startGuest(code: string) {
  const { core, parts } = splitGuest(await buildGuest());
  const context = createContext({ [PARTS_GLOBAL]: parts }, { microtaskMode: 'afterEvaluate' });
  runInContext(core, context, { filename: 'gatehouse:guest' });
  const { turn, drain } = context as { turn(head: string, body: string): void; drain(): string };
  // Calls go through evaluated code, so that the context's microtasks have run when each returns.
  const enter = (head: TurnHead, body: string): GuestRecord[] => {
    Object.assign(context, { enter: () => turn(turnText(head), body) });
    runInContext('enter()', context);
    return readRecords(drain());
  };
  const rehearsed = readRecords(drain());
  delete context.turn;
  delete context.drain;
  runInContext(code, context, { filename: 'bundle.js' });

  let count = 0;
  const run = (
    input: Partial<GuestInput> & { kind: GuestInput['kind'] },
    options: {
      host?: HostStub;
      seed?: string;
      nowMs?: number;
      limits?: Partial<typeof TEST_LIMITS>;
      context?: Partial<ContextFacts>;
    } = {},
  ): GuestRun => {
    count += 1;
    const id = `i${count}`;
    const { host = () => ({ ok: true, value: null }), seed = '00'.repeat(32), nowMs = 1_000_000 } = options;
    const limits = { ...TEST_LIMITS, ...options.limits };
    const context = { ...CONTEXT, ...options.context };
    const body = textOfInput({ ...input, context } as GuestInput);
    const records = enter({ op: 'start', id, seed, nowMs, limits }, body);
    for (let at = 0; at < records.length; at += 1) {
      const { op, seq, name, payload } = records[at]!;
      if (op !== 'call') continue;
      const { ok, value } = name === 'timer' ? { ok: true, value: null } : host(name, JSON.parse(payload) as never);
      records.push(...enter({ op: 'result', id, seq, nowMs: nowMs + at + 1, ok }, JSON.stringify(value)));
    }
    return summary(records);
  };
  return { run, enter, context, rehearsed };
}

function summary(records: GuestRecord[]): GuestRun {
  const payload = (op: string) => {
    const found = records.find((record) => record.op === op);
    return found ? readWireText<never>(found.payload) : null;
  };
  return {
    records,
    output: payload('done'),
    fault: payload('fault'),
    logs: records.filter(({ op }) => op === 'log').map(({ name, payload }) => ({ name, ...JSON.parse(payload) })),
  };
}

/** An `http` input for the route `GET /`. */
export const httpInput = (
  request: Partial<{
    method: string;
    url: string;
    headers: [string, string][];
    body: string | null;
    bodyEncoding: 'utf8' | 'base64';
    streamed: boolean;
  }> = {},
) => ({
  kind: 'http' as const,
  route: 'GET /',
  params: {},
  request: {
    method: 'GET',
    url: 'https://shop.example/',
    headers: [],
    body: null,
    bodyEncoding: 'utf8' as const,
    ...request,
  },
});

/** A bundle whose one route `GET /` has this body; `request` and `ctx` are in scope. */
export const routeBundle = (body: string): string =>
  `__gatehouse_define({ routes: { 'GET /': async (request, ctx) => { ${body} } } });`;

/** Runs the body of one route and returns what it answered as JSON. */
export async function evaluateInGuest(body: string): Promise<unknown> {
  const { run } = await startGuest(routeBundle(body));
  const { output, fault } = run(httpInput());
  if (fault !== null) throw new Error(`${fault.code}: ${fault.message}`);
  const { response } = output as { response: { body: string } };
  return JSON.parse(response.body);
}
