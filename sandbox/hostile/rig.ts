import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { createBroker } from '../../host/capabilities/broker.ts';
import { closedPorts } from '../../host/capabilities/closed-ports.ts';
import { capabilityCalls } from '../../host/capabilities/compose.ts';
import { memoryKvStore } from '../../host/capabilities/memory-kv-store.ts';
import { testScope } from '../../host/capabilities/test-scope.ts';
import { BodyStreams } from '../../host/invocations/body-streams.ts';
import {
  CAPABILITY_NAMES,
  DEFAULT_LIMITS,
  type GuestInput,
  isStreamCall,
  type Json,
  type Limits,
  readWireText,
  textOfInput,
} from '../../plugins-sdk/contract/index.ts';
import { buildGuest } from '../../plugins-sdk/guest/build-guest.ts';
import {
  type CordonDeath,
  createSandbox,
  type LogRecord,
  type Outcome,
  type Sandbox,
  type SandboxOptions,
} from '../index.ts';
import type { Asked, Ends } from './attack.ts';

/** Twice what plugins get: on a busy machine an attack on the CPU budget must not end by its deadline instead. */
export const ATTACK_LIMITS: Limits = { ...DEFAULT_LIMITS, wallMs: 20_000 };
/** What a deadline may be missed by (250 ms), and what this machine may be late in noticing. */
export const DEADLINE_SLACK_MS = 250 + 20_000;
/** The seed of every invocation; no plugin may ever show it. */
export const SEED = 'c0ffee42'.repeat(8);

export interface Run {
  code: string;
  installation: string;
  asks?: Asked;
  limits?: Partial<Limits>;
  ungranted?: boolean;
}

export interface Ran {
  outcome: Outcome;
  logs: LogRecord[];
}

/** The real sandbox, guest and broker, with entries in memory and bundles given as text. */
export interface Rig {
  sandbox: Sandbox;
  deaths: CordonDeath[];
  /** Rejects with a SandboxRefusal where the sandbox would not run it. */
  run(run: Run): Promise<Ran>;
  close(): Promise<void>;
}

let invocations = 0;

export async function openRig(options: Partial<SandboxOptions> = {}): Promise<Rig> {
  const bundles = new Map<string, string>();
  const deaths: CordonDeath[] = [];
  const broker = createBroker({
    calls: capabilityCalls({ kvStore: memoryKvStore(Date.now), ...closedPorts() }),
    onOutage: (error) => {
      throw error;
    },
  });
  const sandbox = await createSandbox(
    { cordons: 2, lanesPerCordon: 1, queuePerLane: 1_000, isolatesPerLane: 16, ...options },
    {
      guest: await buildGuest(),
      loadBundle: async (digest) => bundles.get(digest)!,
      onCordonDeath: (death) => deaths.push(death),
    },
  );
  const run = async ({ code, installation, asks, limits, ungranted }: Run): Promise<Ran> => {
    const digest = createHash('sha256').update(code).digest('hex');
    bundles.set(digest, code);
    const grants: GuestInput['context']['grants'] = ungranted ? [] : CAPABILITY_NAMES;
    const invocationId = `${installation}.${++invocations}`;
    const logs: LogRecord[] = [];
    const streams = new BodyStreams(invocationId, { ...ATTACK_LIMITS, ...limits }, {});
    const scope = testScope({ id: installation, grants }, invocationId);
    const outcome = await sandbox.invoke(
      {
        invocationId,
        installationId: installation,
        digest,
        input: textOfInput(inputOf(asks ?? { kind: 'schedule', name: 'job' }, invocationId, grants)),
        seed: SEED,
        startedAtMs: 1_800_000_000_000,
        limits: { ...ATTACK_LIMITS, ...limits },
      },
      {
        hostCall: (call) => (isStreamCall(call.name) ? streams.answer(call.name, call) : broker(scope, call)),
        log: (record) => logs.push(record),
        nowMs: () => 1_800_000_000_000,
      },
    );
    return { outcome, logs };
  };
  return { sandbox, deaths, run, close: () => sandbox.close(0) };
}

function inputOf(asks: Asked, invocationId: string, grants: GuestInput['context']['grants']): GuestInput {
  const context: GuestInput['context'] = {
    invocationId,
    installation: { id: 'inst', slug: 'arcade', version: '1.0.0' },
    operator: { id: 'op', slug: 'operator' },
    caller: null,
    grants,
    config: { greeting: 'hello' },
  };
  if (asks.kind === 'schedule') return { ...asks, dueAt: '2027-01-15T08:00:00.000Z', context };
  if (asks.kind !== 'http') return { ...asks, context };
  const { route, headers = [], body = null } = asks;
  const url = 'https://plugin.example/';
  const request = { method: route.split(' ')[0]!, url, headers, body, bodyEncoding: 'utf8' as const };
  return { kind: 'http', route, params: {}, request, context };
}

/** The answer of a completed invocation; for routes the whole response. */
export function answerOf(outcome: Outcome): Json {
  if (outcome.status === 'faulted') {
    const { code, used = '-', message } = outcome.fault;
    return `${code} (used ${used}): ${message}`;
  }
  const output = readWireText<{ value?: Json; response?: Json }>(outcome.output);
  return output.response ?? output.value ?? null;
}

export const codeOf = ({ outcome }: Ran): string => (outcome.status === 'faulted' ? outcome.fault.code : 'completed');

export const endsWell = (ends: Ends): ends is { answers: Json } => 'answers' in ends;

const ROOT = resolve(import.meta.dirname, '../..');
/** What no plugin may learn, from whatever it answers, logs or breaks: host paths, host code, seeds. */
const SECRETS = [ROOT, 'node_modules', 'node:internal', 'isolated-vm', 'piscina', 'file:///', SEED];

/** Which secrets are in what came out of an invocation. */
export function leaksIn({ outcome, logs }: Ran): string[] {
  const text = JSON.stringify([outcome, logs]);
  return SECRETS.filter((secret) => text.includes(secret));
}
