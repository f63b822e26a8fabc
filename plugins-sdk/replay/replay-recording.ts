import { type CallDivergence, createSandbox, type Outcome, SandboxRefusal } from '../../sandbox/index.ts';
import { CEILING_LIMITS, type Limits, type PluginFaultCode, sha256Hex } from '../contract/index.ts';
import { textOfInput } from '../contract/input-text.ts';
import type { Recording } from '../contract/recording.ts';
import { plainWireText } from '../contract/wire-text.ts';
import { buildGuest } from '../guest/build-guest.ts';
import {
  compareLogs,
  compareOutcomes,
  type Divergence,
  type RecordedLog,
  type RecordedOutcome,
} from './compare-replay.ts';

/** What happened when a recording was run again. */
export interface Replayed {
  /** Whether the code is the recorded one, by its digest. */
  sameCode: boolean;
  /** The same answer or fault, byte for byte, after the same calls; of the same code also the same log. */
  identical: boolean;
  /** Where it first went another way; null where it did not. */
  divergence: Divergence | null;
  /** Null where it could not go on after a divergence: nobody knows what the other call would have been answered. */
  outcome: RecordedOutcome | null;
  logs: RecordedLog[];
  /** What of the engine differs from the recorded one, such as `guest runtime`: a divergence may come from there. */
  engine: string[];
}

/** The sandbox itself could not run it. */
export class ReplayFailed extends Error {
  override name = 'ReplayFailed';
}

/**
 * Runs a recording again in a sandbox of this machine, with the recorded input, seed, clock and results; no call is made, and
 * nobody waits for a timer. `code` is a bundle: the recorded one, or a changed one. The isolate is a fresh one, so what the
 * plugin kept in variables between invocations is not there. Throws ReplayFailed.
 */
export async function replayRecording(recording: Recording, code: string): Promise<Replayed> {
  const digest = sha256Hex(code);
  const guest = await buildGuest();
  const sameCode = digest === recording.bundleDigest;
  const sandbox = await createSandbox(
    { cordons: 1, lanesPerCordon: 1, queuePerLane: 16, isolatesPerLane: 1, spare: false },
    { guest, loadBundle: async () => code },
  );
  const logs: RecordedLog[] = [];
  let told: CallDivergence | null = null;
  try {
    const { seed, startedAtMs, limits } = recording.invocation;
    const outcome = await sandbox
      .invoke(
        {
          invocationId: recording.id,
          installationId: 'replay',
          digest,
          input: inputOf(recording),
          seed,
          startedAtMs,
          limits: unhurried(limits, recording.outcome),
        },
        {
          hostCall: () => Promise.reject(new Error('a replay makes no calls')),
          log: ({ source, level, json }) => void logs.push({ source, level, json }),
          replay: {
            calls: recording.calls,
            turns: recording.turns,
            onDivergence: (divergence) => {
              told ??= divergence;
            },
          },
        },
      )
      .catch((error: unknown) => {
        if (told !== null && error instanceof SandboxRefusal) return null;
        throw new ReplayFailed(`The sandbox could not run it: ${(error as Error).message}`, { cause: error });
      });
    return judge(recording, { told, outcome: outcome && withoutUsage(outcome), logs, sameCode, guest });
  } finally {
    await sandbox.close(0);
  }
}

function inputOf({ invocation }: Recording): string {
  try {
    return textOfInput(JSON.parse(invocation.input));
  } catch (error) {
    throw new ReplayFailed('The input of the recording cannot be read; fetch it again.', { cause: error });
  }
}

function judge(
  recording: Recording,
  run: {
    told: CallDivergence | null;
    outcome: RecordedOutcome | null;
    logs: RecordedLog[];
    sameCode: boolean;
    guest: string;
  },
): Replayed {
  const { told, outcome, logs, sameCode } = run;
  const ofCalls: Divergence | null = told && { kind: 'call', ...told };
  const divergence =
    ofCalls ??
    (outcome && compareOutcomes(recording.outcome, outcome, sameCode)) ??
    (sameCode ? compareLogs(recording.logs, logs) : null);
  return {
    sameCode,
    identical: divergence === null,
    divergence,
    outcome,
    logs,
    engine: engineDifferences(recording.engine, run.guest),
  };
}

const withoutUsage = (outcome: Outcome): RecordedOutcome =>
  outcome.status === 'completed'
    ? { status: 'completed', output: plainWireText(outcome.output) }
    : { status: 'faulted', fault: outcome.fault };

function engineDifferences(recorded: Recording['engine'], guest: string): string[] {
  const differences = [];
  if (recorded.guest !== sha256Hex(guest)) differences.push('guest runtime');
  if (recorded.v8 !== process.versions.v8)
    differences.push(`V8 (${recorded.v8} recorded, ${process.versions.v8} here)`);
  return differences;
}

/** This machine may be slower: time is limited only where running out of it is what was recorded. */
function unhurried(limits: Limits, outcome: RecordedOutcome): Limits {
  const code: PluginFaultCode | null = outcome.status === 'faulted' ? outcome.fault.code : null;
  const stuck = code === 'cpu-limit' || code === 'sandbox-killed';
  return {
    ...limits,
    cpuMs: stuck ? limits.cpuMs : CEILING_LIMITS.cpuMs,
    wallMs: code === 'wall-limit' ? limits.wallMs : CEILING_LIMITS.wallMs,
    startupCpuMs: code === 'startup-cpu-limit' ? limits.startupCpuMs : CEILING_LIMITS.startupCpuMs,
  };
}
