import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS, type GuestInput, type Limits, textOfInput } from '../plugins-sdk/contract/index.ts';
import { buildGuest } from '../plugins-sdk/guest/build-guest.ts';
import {
  type CordonDeath,
  createSandbox,
  type ExtraCpu,
  type HostCallRequest,
  type HostCallResult,
  type InvocationPorts,
  type LogRecord,
  type Outcome,
  type Sandbox,
  type SandboxOptions,
} from './index.ts';
import type { LaunchCordon } from './launch-cordon.ts';

/** The real sandbox and the real guest, with bundles given as text. */
export interface TestSandbox {
  sandbox: Sandbox;
  deaths: CordonDeath[];
  calls: HostCallRequest[];
  logs: LogRecord[];
  loads: string[];
  extras: ExtraCpu[];
  /** Calls the handler `job` of the bundle. */
  run(code: string, options?: RunOptions): Promise<Outcome>;
  close(): Promise<void>;
}

export interface RunOptions {
  id?: string;
  installation?: string;
  limits?: Partial<Limits>;
  hostCall?: InvocationPorts['hostCall'];
  signal?: AbortSignal;
  nowMs?: () => number;
  solitary?: boolean;
  record?: InvocationPorts['record'];
  replay?: InvocationPorts['replay'];
}

/** A bundle whose job has this body; `before` is top-level code. */
export const jobIn = (body: string, before = ''): string =>
  `${before}\n__gatehouse_define({ schedule: { job: async (job, ctx) => { ${body} } } });`;
export const digestOf = (code: string): string => createHash('sha256').update(code).digest('hex');

/** A slow machine takes its time to compute what is nothing elsewhere: who tests a limit sets it. */
const PATIENT = { cpuMs: 250, startupCpuMs: 1_000, wallMs: 60_000 };

let invocations = 0;

export async function openTestSandbox(
  options: Partial<SandboxOptions> = {},
  launch?: LaunchCordon,
): Promise<TestSandbox> {
  const bundles = new Map<string, string>();
  const [deaths, calls, logs, loads]: [CordonDeath[], HostCallRequest[], LogRecord[], string[]] = [[], [], [], []];
  const extras: ExtraCpu[] = [];
  const sandbox = await createSandbox(
    { cordons: 1, lanesPerCordon: 1, queuePerLane: 200, isolatesPerLane: 8, spare: false, ...options },
    {
      guest: await buildGuest(),
      loadBundle: async (digest) => {
        loads.push(digest);
        const code = bundles.get(digest);
        if (code === undefined) throw new Error('no such bundle');
        return code;
      },
      onCordonDeath: (death) => deaths.push(death),
      onExtraCpu: (extra) => extras.push(extra),
    },
    launch,
  );

  const run = (code: string, options: RunOptions = {}) => {
    const { id, installation = 'one', limits, hostCall, signal, nowMs, solitary, record, replay } = options;
    const digest = digestOf(code);
    if (code !== '') bundles.set(digest, code);
    const invocationId = id ?? `invocation-${++invocations}`;
    return sandbox.invoke(
      {
        invocationId,
        installationId: installation,
        digest,
        input: textOfInput(jobInput(invocationId)),
        seed: '5a'.repeat(32),
        startedAtMs: nowMs?.() ?? Date.now(),
        limits: { ...DEFAULT_LIMITS, ...PATIENT, ...limits },
        ...(solitary ? { solitary } : {}),
      },
      {
        hostCall: (call) => {
          calls.push(call);
          return hostCall ? hostCall(call) : Promise.resolve(entry(call));
        },
        log: (record) => logs.push(record),
        ...(signal ? { signal } : {}),
        ...(nowMs ? { nowMs } : {}),
        ...(record ? { record } : {}),
        ...(replay ? { replay } : {}),
      },
    );
  };
  return { sandbox, deaths, calls, logs, loads, extras, run, close: () => sandbox.close(0) };
}

const jobInput = (invocationId: string): GuestInput => ({
  kind: 'schedule',
  name: 'job',
  dueAt: '2026-11-21T00:00:00.000Z',
  context: {
    invocationId,
    installation: { id: 'i', slug: 'one', version: '1.0.0' },
    operator: { id: 'o', slug: 'operator' },
    caller: null,
    grants: ['kv', 'log'],
    config: null,
  },
});

/** What a store answers that holds `seq` under every key. */
export const entry = ({ seq, args }: HostCallRequest): HostCallResult => ({
  ok: true,
  json: JSON.stringify({ key: (JSON.parse(args) as { key: string }).key, value: seq, version: 1 }),
});

/** The value that a completed invocation answered; throws with the fault of any other. */
export function answerOf(outcome: Outcome): unknown {
  if (outcome.status === 'faulted') throw new Error(`${outcome.fault.code}: ${outcome.fault.message}`);
  const output = JSON.parse(outcome.output) as { kind: string; value: unknown };
  return output.value;
}

export const codeOf = (outcome: Outcome): string => (outcome.status === 'faulted' ? outcome.fault.code : 'completed');

/** Waits for what happens soon, without a deadline of its own: the test's is the only one. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
