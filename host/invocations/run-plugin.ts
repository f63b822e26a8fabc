import type { CallerFacts, ContextFacts, GuestInput, GuestOutput, Json } from '../../plugins-sdk/contract/index.ts';
import type { Invocation, LogRecord, Outcome, Sandbox } from '../../sandbox/index.ts';
import type { Broker } from '../capabilities/broker.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import { PluginFaultError } from './contract.ts';

/** What a plugin is asked to do, without the context, which the runner adds. */
export type PluginJob = GuestInput extends infer Input
  ? Input extends unknown
    ? Omit<Input, 'context'>
    : never
  : never;

export interface RunnerPorts {
  sandbox: Pick<Sandbox, 'invoke'>;
  broker: Broker;
  /** Keeps one log line; must not block and must not throw. */
  record(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  /** Meters one ended invocation; must not block and must not throw. */
  meter(installation: InstallationFacts, job: PluginJob['kind'], outcome: Outcome): void;
  nowMs(): number;
  /** UUIDv7. */
  newId(): string;
  /** 64 hex digits from the operating system's generator. */
  newSeed(): string;
}

export interface RunOptions {
  caller: CallerFacts | null;
  signal?: AbortSignal;
}

export interface PluginAnswer {
  invocationId: string;
  output: GuestOutput;
}

/**
 * Runs one job of one installation: the only way from the host, `gate dev` and the test harness into the sandbox.
 * Refuses with: installation-saturated, PluginFaultError, SandboxRefusal.
 */
export type PluginRunner = (
  installation: InstallationFacts,
  job: PluginJob,
  options: RunOptions,
) => Promise<PluginAnswer>;

export function createPluginRunner(ports: RunnerPorts): PluginRunner {
  const running = new Map<string, number>();

  return async (installation, job, { caller, signal }) => {
    const { id, limits } = installation;
    const count = running.get(id) ?? 0;
    if (count >= limits.concurrent) throw saturated(limits.concurrent);
    running.set(id, count + 1);
    try {
      const invocationId = ports.newId();
      const invocation: Invocation = {
        invocationId,
        installationId: id,
        digest: installation.bundleDigest,
        input: JSON.stringify({ ...job, context: contextFacts(installation, invocationId, caller) }),
        seed: ports.newSeed(),
        startedAtMs: ports.nowMs(),
        limits,
      };
      const outcome = await ports.sandbox.invoke(invocation, {
        hostCall: (call) => ports.broker(installation, call),
        log: (record) => recordLine(ports, installation, invocationId, record),
        signal,
      });
      ports.meter(installation, job.kind, outcome);
      if (outcome.status === 'faulted') {
        recordFault(ports, installation, invocationId, job, outcome);
        throw new PluginFaultError(outcome.fault, invocationId);
      }
      return { invocationId, output: readOutput(outcome.output, job, invocationId) };
    } finally {
      const left = (running.get(id) ?? 1) - 1;
      if (left > 0) running.set(id, left);
      else running.delete(id);
    }
  };
}

const saturated = (concurrent: number) =>
  new HostRefusal('installation-saturated', undefined, { limit: 'concurrent', allowed: concurrent });

function contextFacts(installation: InstallationFacts, invocationId: string, caller: CallerFacts | null): ContextFacts {
  const { id, slug, version, operator, grants, config } = installation;
  return {
    invocationId,
    installation: { id, slug, version },
    operator: { id: operator.id, slug: operator.slug },
    caller,
    grants,
    config: grants.includes('config') ? config : null,
  };
}

/** The guest runtime writes this text, but the plugin shares its isolate: whatever does not fit is the plugin's fault. */
function readOutput(json: string, job: PluginJob, invocationId: string): GuestOutput {
  try {
    const output = JSON.parse(json) as GuestOutput;
    const fits =
      job.kind === 'http'
        ? output.kind === 'http' && Number.isInteger(output.response.status) && Array.isArray(output.response.headers)
        : output.kind === 'value';
    if (fits) return output;
  } catch {
    // Falls through: text that is not JSON is answered like JSON of the wrong shape.
  }
  const message = 'The answer has a shape that the guest runtime never makes.';
  throw new PluginFaultError({ code: 'plugin-answer-invalid', message }, invocationId);
}

function recordLine(
  ports: RunnerPorts,
  installation: InstallationFacts,
  invocationId: string,
  { source, level, json, atMs }: LogRecord,
): void {
  if (source === 'log' && !installation.grants.includes('log')) return;
  const { message, facts } = readLine(json);
  ports.record(installation, { at: new Date(atMs).toISOString(), invocationId, source, level, message, facts });
}

function readLine(json: string): { message: string; facts: Json } {
  try {
    const { message, facts } = JSON.parse(json) as { message: unknown; facts?: Json };
    return { message: String(message), facts: facts ?? {} };
  } catch {
    return { message: json, facts: {} };
  }
}

function recordFault(
  ports: RunnerPorts,
  installation: InstallationFacts,
  invocationId: string,
  job: PluginJob,
  { fault, usage }: Extract<Outcome, { status: 'faulted' }>,
): void {
  ports.record(installation, {
    at: new Date(ports.nowMs()).toISOString(),
    invocationId,
    source: 'host',
    level: 'error',
    message: `${fault.code}: ${fault.message}`,
    facts: { kind: job.kind, fault: { ...fault }, usage: { ...usage } },
  });
}
