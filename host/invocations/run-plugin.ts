import {
  type CallerFacts,
  type ContextFacts,
  type GuestOutput,
  inputText,
  isStreamCall,
  type Json,
  type PluginJob,
  type PluginOutput,
  readWireText,
  type WireResponse,
} from '../../plugins-sdk/contract/index.ts';
import {
  type AbortNotice,
  type ExtraCpu,
  type Invocation,
  type LogRecord,
  type Outcome,
  type Sandbox,
  SandboxRefusal,
  type Usage,
} from '../../sandbox/index.ts';
import type { Broker } from '../capabilities/broker.ts';
import { InvocationScope } from '../capabilities/call-scope.ts';
import type { Lineage } from '../capabilities/lineage.ts';
import { HostRefusal, releaseBlocked } from '../errors.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import { jsonOf } from '../kept-json.ts';
import type { ShownSecrets } from '../secrets/shown-secrets.ts';
import { createAdmission, isAdmissionRefusal } from './admission.ts';
import { BodyStreams } from './body-streams.ts';
import { CallTrace, type Waterfall } from './call-trace.ts';
import { type BodyEnds, type InvocationRefusalCode, PluginFaultError, type RecordInvocations } from './contract.ts';
import { leftOf, within, withWait } from './queue-wait.ts';

export interface RunnerPorts {
  sandbox: Pick<Sandbox, 'invoke'>;
  broker: Broker;
  /** Keeps one log line; must not block and must not throw. */
  record(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  /** Meters one ended invocation, with the bytes of log that it wrote; must not block and must not throw. */
  meter(installation: InstallationFacts, job: PluginJob['kind'], outcome: Outcome, logBytes: number): void;
  /** Meters what the host computed for an invocation after its end; must not block and must not throw. Absent where nobody asks. */
  extraCpu?(extra: ExtraCpu): void;
  /** Told of every invocation that was answered; must not block and must not throw. Absent where nobody asks. */
  completed?(installation: InstallationFacts, end: CompletedInvocation): void;
  /** Counts one invocation without an outcome; must not block and must not throw. Absent where nobody counts. */
  refused?(installation: InstallationFacts, code: InvocationRefusalCode): void;
  /** Whether an installation was suspended while an invocation of it waited; nobody is where absent. */
  isSuspended?(installationId: string): boolean;
  /** Keeps invocations to be run again elsewhere; absent where none are. */
  recordings?: RecordInvocations;
  /** Which secrets an installation was shown; none where absent. */
  shownSecrets?: Pick<ShownSecrets, 'values'>;
  nowMs(): number;
  /** Measures waits and refills CPU budgets; the process's own clock where absent. */
  monotonicMs?(): number;
  /** UUIDv7. */
  newId(): string;
  /** 64 hex digits from the operating system's generator. */
  newSeed(): string;
}

/** An answered invocation, for those who watch an installation. */
export interface CompletedInvocation {
  invocationId: string;
  job: PluginJob;
  output: PluginOutput;
  usage: Usage;
  /** Undefined where it made no host call. */
  trace: CallTrace | undefined;
}

export interface RunOptions {
  caller: CallerFacts | null;
  signal?: AbortNotice;
  /** Whether somebody asked for a recording. */
  record?: boolean;
  /** Ends it where its own wall limit would end it later, in milliseconds since 1970. */
  deadlineAtMs?: number;
  /** What led to it; absent for what somebody from outside began. */
  lineage?: Lineage;
  /** The name under which another host may execute it again, should this one die. */
  attempt?: { invocationId: string; seed: string };
  /** Where bodies come from and go to piece by piece; absent where both are whole. */
  bodies?: BodyEnds;
}

export interface PluginAnswer {
  invocationId: string;
  output: PluginOutput;
}

/**
 * Runs one job of one installation: the only way from the host, `gate dev` and the test harness into the sandbox. More than
 * `concurrent` at once wait for their turn; what they wait counts as part of their `wallMs`.
 * Refuses with: release-blocked, installation-saturated, installation-suspended, cpu-budget-exhausted, PluginFaultError, SandboxRefusal.
 */
export type PluginRunner = (
  installation: InstallationFacts,
  job: PluginJob,
  options: RunOptions,
) => Promise<PluginAnswer>;

export function createPluginRunner(ports: RunnerPorts): PluginRunner {
  const admission = createAdmission(ports.monotonicMs ?? (() => performance.now()));
  /** Ids that others gave: one may come again while it runs. */
  const attempts = new Set<string>();

  return async (installation, job, options) => {
    const { caller, signal, record: requested = false, deadlineAtMs, attempt } = options;
    const { id, blocked } = installation;
    if (blocked) throw releaseBlocked(blocked);
    const limits =
      deadlineAtMs === undefined ? installation.limits : within(installation.limits, deadlineAtMs - ports.nowMs());
    if (attempt) {
      if (attempts.has(attempt.invocationId)) throw new Error(`invocation ${attempt.invocationId} is running already`);
      attempts.add(attempt.invocationId);
    }
    let entered = false;
    let cpuMs = 0;
    let scope: InvocationScope | undefined;
    let trace: CallTrace | undefined;
    let streams: BodyStreams | undefined;
    try {
      const turn = admission.enter(id, limits, signal);
      const queuedMs = turn === 0 ? 0 : await turn;
      entered = true;
      if (turn !== 0 && ports.isSuspended?.(id)) throw new HostRefusal('installation-suspended');
      const invocationId = attempt?.invocationId ?? ports.newId();
      const invocation: Invocation = {
        invocationId,
        installationId: id,
        digest: installation.bundleDigest,
        input: inputOf(installation, job, invocationId, caller),
        seed: attempt?.seed ?? ports.newSeed(),
        startedAtMs: ports.nowMs(),
        limits: queuedMs === 0 ? limits : leftOf(limits, queuedMs),
        solitary: installation.conduct.solitarySince !== null,
      };
      let logBytes = 0;
      const mode = ports.recordings?.modeOf(id, invocation.seed, requested);
      let logs: LogRecord[] | null = null;
      const ended = await ports.sandbox.invoke(invocation, {
        hostCall: (call) => {
          scope ??= new InvocationScope(
            installation,
            invocationId,
            invocation.startedAtMs + invocation.limits.wallMs,
            options,
          );
          trace ??= new CallTrace(ports.nowMs() - invocation.startedAtMs);
          if (isStreamCall(call.name)) {
            streams ??= new BodyStreams(invocationId, limits, options.bodies ?? {});
            return trace.follow(call, streams.answer(call.name, call));
          }
          return trace.follow(call, ports.broker(scope, call));
        },
        log: (record) => {
          logBytes += recordLine(ports, installation, invocationId, record);
          if (mode === undefined) return;
          logs ??= [];
          logs.push(record);
        },
        signal,
        record: mode,
      });
      const waited = queuedMs === 0 ? ended : withWait(ended, limits, queuedMs);
      const outcome = scope === undefined || scope.hostCpuMs === 0 ? waited : withHostCpu(waited, scope.hostCpuMs);
      if (streams) outcome.usage.outputBytes += streams.bytes;
      cpuMs = cpuOf(outcome.usage);
      ports.meter(installation, job.kind, outcome, logBytes);
      if (outcome.recorded) {
        ports.recordings?.keep({
          installation,
          job: nameOf(job),
          invocation,
          outcome,
          logs,
          secrets: ports.shownSecrets?.values(id) ?? [],
          requested,
        });
      }
      if (outcome.status === 'faulted') {
        recordFault(ports, installation, invocationId, job, outcome, trace);
        throw new PluginFaultError(outcome.fault, invocationId);
      }
      const output = readOutput(outcome.output, job, invocationId, streams?.response ?? null);
      ports.completed?.(installation, { invocationId, job, output, usage: outcome.usage, trace });
      return { invocationId, output };
    } catch (error) {
      if (error instanceof SandboxRefusal) cpuMs = (error.usage ? cpuOf(error.usage) : 0) + (scope?.hostCpuMs ?? 0);
      countRefusal(ports, installation, error);
      throw error;
    } finally {
      scope?.end((lateMs) => {
        admission.charge(id, limits, lateMs);
        ports.extraCpu?.({
          why: 'after-end',
          installationId: id,
          digest: installation.bundleDigest,
          cpuMs: lateMs,
        });
      });
      if (attempt) attempts.delete(attempt.invocationId);
      if (entered) admission.leave(id, limits, cpuMs);
    }
  };
}

/** What the host computed for an invocation is part of what it used. */
const withHostCpu = (outcome: Outcome, hostCpuMs: number): Outcome => ({
  ...outcome,
  usage: { ...outcome.usage, cpuMs: outcome.usage.cpuMs + hostCpuMs },
});

/** No isolate has more CPU time than time: a cordon that was taken over cannot charge its neighbours with more. */
const cpuOf = ({ cpuMs, wallMs }: Usage): number => Math.min(cpuMs, wallMs);

function countRefusal({ refused }: RunnerPorts, installation: InstallationFacts, error: unknown): void {
  if (error instanceof SandboxRefusal || isAdmissionRefusal(error)) refused?.(installation, error.code);
}

function nameOf(job: PluginJob): string {
  if (job.kind === 'http') return job.route;
  if (job.kind === 'hook') return `hook ${job.event.hook}`;
  return job.kind === 'schedule' ? `schedule ${job.name}` : job.kind;
}

const fixedFacts = new WeakMap<InstallationFacts, string>();

/** What an installation tells every invocation alike is written once: its configuration may be large. */
function inputOf(installation: InstallationFacts, job: PluginJob, id: string, caller: CallerFacts | null): string {
  let fixed = fixedFacts.get(installation);
  if (fixed === undefined) {
    fixed = JSON.stringify(contextFacts(installation)).slice(1);
    fixedFacts.set(installation, fixed);
  }
  const ofThis = `"invocationId":${JSON.stringify(id)},"caller":${caller === null ? 'null' : jsonOf(caller)}`;
  return inputText(job, `{${ofThis},${fixed}`, job.kind === 'http' ? jsonOf(job.request.headers) : undefined);
}

function contextFacts(installation: InstallationFacts): Omit<ContextFacts, 'invocationId' | 'caller'> {
  const { id, slug, version, operator, grants, config } = installation;
  return {
    installation: { id, slug, version },
    operator: { id: operator.id, slug: operator.slug },
    grants,
    config: grants.includes('config') ? config : null,
  };
}

/** The guest runtime writes this text, but the plugin shares its isolate: whatever does not fit is the plugin's fault. */
function readOutput(text: string, job: PluginJob, invocationId: string, streamed: WireResponse | null): PluginOutput {
  try {
    const output = readWireText<GuestOutput>(text);
    if (job.kind !== 'http') {
      if (output.kind === 'value') return output;
    } else if (output.kind === 'streamed') {
      if (streamed !== null) return { kind: 'http', response: streamed };
    } else if (output.kind === 'http' && streamed === null && isResponse(output.response)) return output;
  } catch {
    // Falls through: text that is not JSON is answered like JSON of the wrong shape.
  }
  const message = 'The answer has a shape that the guest runtime never makes.';
  throw new PluginFaultError({ code: 'plugin-answer-invalid', message }, invocationId);
}

function isResponse({ status, headers, body, bodyEncoding }: WireResponse): boolean {
  return (
    Number.isInteger(status) &&
    Array.isArray(headers) &&
    headers.every(([name, value]) => typeof name === 'string' && typeof value === 'string') &&
    (body === null || typeof body === 'string') &&
    (bodyEncoding === 'utf8' || bodyEncoding === 'base64')
  );
}

/** Returns the bytes that were kept. */
function recordLine(
  ports: RunnerPorts,
  installation: InstallationFacts,
  invocationId: string,
  { source, level, json, atMs }: LogRecord,
): number {
  if (source === 'log' && !installation.grants.includes('log')) return 0;
  const { message, facts } = readLine(json);
  ports.record(installation, { at: new Date(atMs).toISOString(), invocationId, source, level, message, facts });
  return Buffer.byteLength(json);
}

function readLine(json: string): { message: string; facts: Json } {
  try {
    const { message, facts } = JSON.parse(json) as { message: unknown; facts?: Json };
    return { message: String(message), facts: nests(facts, FACTS_DEPTH_MAX) ? { text: json } : (facts ?? {}) };
  } catch {
    return { message: json, facts: {} };
  }
}

/** Deeper JSON makes PostgreSQL refuse a whole batch of lines. The guest sees to that too, but a plugin shares its isolate. */
const FACTS_DEPTH_MAX = 32;

const nests = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => nests(each, levels - 1)));

function recordFault(
  ports: RunnerPorts,
  installation: InstallationFacts,
  invocationId: string,
  job: PluginJob,
  { fault, usage }: Extract<Outcome, { status: 'faulted' }>,
  trace: CallTrace | undefined,
): void {
  ports.record(installation, {
    at: new Date(ports.nowMs()).toISOString(),
    invocationId,
    source: 'host',
    level: 'error',
    message: `${fault.code}: ${fault.message}`,
    facts: {
      kind: job.kind,
      fault: { ...fault },
      usage: { ...usage },
      ...(trace && { trace: asJson(trace.waterfall()) }),
    },
  });
}

/** A type of plain members is no Json to the compiler only because it has a name. */
const asJson = ({ calls, omitted }: Waterfall): Json => ({ calls: calls.map((call) => ({ ...call })), omitted });
