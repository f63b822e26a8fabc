import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readInputText } from '../../plugins-sdk/contract/input-text.ts';
import {
  RECORDING_BYTES_MAX,
  RECORDING_FORMAT,
  type Recording,
  type RecordingCause,
} from '../../plugins-sdk/contract/recording.ts';
import { plainWireText } from '../../plugins-sdk/contract/wire-text.ts';
import type { Log } from '../http/log.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import type { EndedInvocation, RecordInvocations } from '../invocations/contract.ts';
import type { RecordingStore } from './recording-store.ts';
import { isDrawn, mayRecordFailure, openWindow, WINDOW_MS, type Window } from './rules/may-record.ts';
import { redactRecording } from './rules/redact-recording.ts';
import { DEFAULT_RECORDING, type RecordingSettings } from './rules/settings.ts';

export interface RecorderPorts {
  store: Pick<RecordingStore, 'add' | 'settings' | 'prune'>;
  /** What ran: versions and the SHA-256 of the guest runtime. */
  engine: Recording['engine'];
  /** Writes into the installation's log; must not throw. */
  tell(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  log: Log;
  nowMs(): number;
}

export interface InvocationRecorder extends RecordInvocations {
  /** Reads the settings again; to be called when they change on any host. */
  refresh(): Promise<void>;
  /** Removes what is not kept any longer, and forgets old windows. */
  sweep(): Promise<void>;
  /** Resolves when everything kept so far is stored or given up. */
  flush(): Promise<void>;
}

const WAITING_MAX = 100;
const WAITING_UNITS_MAX = 32 * 1024 * 1024;
/** Rest after each recording: making one takes the host's only thread for some milliseconds. */
const REST_MS = 50;
const compress = promisify(gzip);

export function createInvocationRecorder(ports: RecorderPorts): InvocationRecorder {
  const { store, log, nowMs } = ports;
  let settings: ReadonlyMap<string, RecordingSettings> = new Map();
  const windows = new Map<string, Window>();
  const waiting: { ended: EndedInvocation; why: RecordingCause; units: number }[] = [];
  let waitingUnits = 0;
  let working: Promise<void> | null = null;
  let hurried = false;
  let dropped = 0;
  /** Installation and cause whose budget of the day is used up, with the end of that day. */
  const exhausted = new Map<string, number>();

  const settingsOf = (id: string) => settings.get(id) ?? DEFAULT_RECORDING;

  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      waitingUnits -= next.units;
      const { id } = next.ended.installation;
      try {
        const isWithin = await storeOne(ports, next.ended, next.why, settingsOf(id));
        if (!isWithin) exhausted.set(`${id} ${next.why}`, endOfDay(nowMs()));
      } catch (error) {
        log.error({ err: error }, 'recording not stored');
      }
      if (!hurried) await new Promise((resolve) => setTimeout(resolve, REST_MS).unref());
    }
    working = null;
  };

  /** From memory, so that nothing is redacted and compressed in vain. People who ask are told by the store. */
  const isExhausted = (id: string, why: RecordingCause) => (exhausted.get(`${id} ${why}`) ?? 0) > nowMs();

  const causeOf = ({ installation, invocation, outcome, requested }: EndedInvocation): RecordingCause | null => {
    const { failures, sampleRate } = settingsOf(installation.id);
    if (requested) return 'requested';
    if (isDrawn(invocation.seed, sampleRate)) return isExhausted(installation.id, 'sampled') ? null : 'sampled';
    if (outcome.status === 'completed' || !failures || isExhausted(installation.id, 'failed')) return null;
    return mayRecordFailure(windowOf(windows, installation.id, nowMs()), outcome.fault) ? 'failed' : null;
  };

  return {
    modeOf: (id, seed, requested) => {
      const { failures, sampleRate } = settings.size === 0 ? DEFAULT_RECORDING : settingsOf(id);
      if (requested || (sampleRate > 0 && isDrawn(seed, sampleRate))) return 'always';
      return failures ? 'on-fault' : undefined;
    },
    keep: (ended) => {
      const why = causeOf(ended);
      if (why === null) return;
      const units = unitsOf(ended);
      if (waiting.length >= WAITING_MAX || waitingUnits + units > WAITING_UNITS_MAX) {
        dropped += 1;
        return;
      }
      waiting.push({ ended, why, units });
      waitingUnits += units;
      working ??= work();
    },
    refresh: async () => {
      settings = await store.settings();
      // A budget may have been raised.
      exhausted.clear();
    },
    sweep: async () => {
      for (const [id, { endsAtMs }] of windows) if (endsAtMs <= nowMs()) windows.delete(id);
      for (const [key, endsAtMs] of exhausted) if (endsAtMs <= nowMs()) exhausted.delete(key);
      if (dropped > 0) log.warn({ dropped }, 'there was more to record than could be stored');
      dropped = 0;
      await store.prune(nowMs());
    },
    flush: async () => {
      hurried = true;
      while (working) await working;
      hurried = false;
    },
  };
}

/** Days are those of UTC, as in the store. */
const endOfDay = (nowMs: number): number => (Math.floor(nowMs / 86_400_000) + 1) * 86_400_000;

function windowOf(windows: Map<string, Window>, id: string, nowMs: number): Window {
  const known = windows.get(id);
  if (known && known.endsAtMs > nowMs && known.endsAtMs <= nowMs + WINDOW_MS) return known;
  const window = openWindow(nowMs);
  windows.set(id, window);
  return window;
}

function unitsOf({ invocation, outcome, logs }: EndedInvocation): number {
  const calls = (outcome.recorded?.calls ?? []).reduce(
    (sum, { args, result }) => sum + args.length + (result?.json.length ?? 0),
    0,
  );
  const output = outcome.status === 'completed' ? outcome.output.length : 0;
  return invocation.input.length + output + calls + (logs ?? []).reduce((sum, { json }) => sum + json.length, 0);
}

/** False where the budget of the day is used up. */
async function storeOne(
  { store, engine, tell, nowMs }: RecorderPorts,
  ended: EndedInvocation,
  why: RecordingCause,
  budget: RecordingSettings,
): Promise<boolean> {
  const { installation, invocation } = ended;
  const at = new Date(nowMs()).toISOString();
  const say = (message: string) => {
    if (why !== 'requested') return true;
    tell(installation, {
      at,
      invocationId: invocation.invocationId,
      source: 'host',
      level: 'warn',
      message,
      facts: {},
    });
    return true;
  };
  if (unitsOf(ended) > RECORDING_BYTES_MAX)
    return say(`The recording is larger than ${RECORDING_BYTES_MAX} bytes, and was not kept.`);
  const plan = { personal: installation.manifest.personal ?? [], secrets: ended.secrets };
  const recording = redactRecording(recordingOf(ended, why, at, engine), plan);
  if (recording === null) return say('The recording has too many values to be redacted, and was not kept.');
  const json = Buffer.from(JSON.stringify(recording));
  if (json.length > RECORDING_BYTES_MAX)
    return say(`The recording is larger than ${RECORDING_BYTES_MAX} bytes, and was not kept.`);
  const added = await store.add(
    {
      id: invocation.invocationId,
      installationId: installation.id,
      releaseId: installation.releaseId,
      at,
      why,
      job: recording.job,
      outcome: recording.outcome.status === 'completed' ? 'completed' : recording.outcome.fault.code,
      redacted: recording.redacted !== null,
      content: await compress(json),
    },
    budget,
  );
  if (added !== 'over-budget') return true;
  say('The budget for recordings of this day is used up; see: gate recordings settings.');
  return false;
}

const recordingOf = (
  { installation, job, invocation, outcome, logs }: EndedInvocation,
  why: RecordingCause,
  at: string,
  engine: Recording['engine'],
): Recording => ({
  format: RECORDING_FORMAT,
  id: invocation.invocationId,
  recordedAt: at,
  why,
  plugin: installation.plugin,
  version: installation.version,
  bundleDigest: invocation.digest,
  installation: { id: installation.id, slug: installation.slug, operator: installation.operator.slug },
  job: job.slice(0, 300),
  engine,
  invocation: {
    input: JSON.stringify(readInputText(invocation.input)),
    seed: invocation.seed,
    startedAtMs: invocation.startedAtMs,
    limits: invocation.limits,
  },
  calls: outcome.recorded!.calls,
  turns: outcome.recorded!.turns,
  logs: (logs ?? []).map(({ source, level, json }) => ({ source, level, json })),
  outcome:
    outcome.status === 'completed'
      ? { status: 'completed', output: plainWireText(outcome.output) }
      : { status: 'faulted', fault: outcome.fault },
  usage: { cpuMs: outcome.usage.cpuMs, wallMs: outcome.usage.wallMs, executions: outcome.usage.executions },
  redacted: null,
});
