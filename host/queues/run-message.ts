import { hookOfQueue, type Json, QUEUE_BACK_OFF_SECONDS_DEFAULT } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { StoredMessage, Verdict } from './contract.ts';
import type { MessageStore } from './message-store.ts';
import { delayAfter } from './rules/back-off.ts';

export interface RunMessagePorts {
  store: Pick<MessageStore, 'find' | 'done' | 'failed'>;
  /** Null where the installation is gone. */
  factsOf(installationId: string): Promise<InstallationFacts | null>;
  runPlugin: PluginRunner;
  /** Keeps a line in the log of an installation. */
  record(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  /** Told of every message that reached its handler. */
  onUsed(installationId: string): void;
  nowMs(): number;
}

/** Of one installation on one host at a time: others have messages too. */
const RUNNING_MAX = 8;
const BUSY_DELAY_MS = 1_000;
/** For an installation that is disabled or suspended: its messages wait until it is not. */
const RESTING_DELAY_MS = 60_000;
const ENDED: Verdict = { next: 'ended' };

/**
 * Runs a message and says what becomes of it. An attempt counts when the plugin failed, and not when it could not be run. Rejects where
 * the database does.
 */
export function createMessageRunner(ports: RunMessagePorts): (id: string) => Promise<Verdict> {
  const { store, factsOf } = ports;
  /** Ids of running messages by installation. */
  const running = new Map<string, Set<string>>();

  return async (id) => {
    const message = await store.find(id);
    if (message?.state !== 'waiting') return ENDED;
    const { installationId } = message;
    const own = running.get(installationId) ?? new Set<string>();
    if (own.size >= RUNNING_MAX || own.has(id)) return again(BUSY_DELAY_MS);
    running.set(installationId, own.add(id));
    try {
      const installation = await factsOf(installationId);
      return installation === null ? ENDED : await attempt(ports, installation, message);
    } finally {
      own.delete(id);
      if (own.size === 0) running.delete(installationId);
    }
  };
}

const again = (delayMs: number): Verdict => ({ next: 'again', delayMs });

async function attempt(
  ports: RunMessagePorts,
  installation: InstallationFacts,
  message: StoredMessage,
): Promise<Verdict> {
  const declared = installation.manifest.queues?.find(({ name }) => name === message.queue);
  const isGranted = installation.grants.includes('queue');
  if (!declared || !isGranted) {
    return fail(ports, installation, message, declared ? 'capability-denied' : 'queue-undeclared', null);
  }
  try {
    requireRunnable(installation);
    await run(ports, installation, message);
  } catch (error) {
    if (error instanceof PluginFaultError) {
      const made = message.attempts + 1;
      const firstMs = (declared.backOffSeconds ?? QUEUE_BACK_OFF_SECONDS_DEFAULT) * 1_000;
      const delayMs = made >= message.attemptsMax ? null : delayAfter(made, firstMs);
      return fail(ports, installation, message, error.fault.code, delayMs);
    }
    if (error instanceof SandboxRefusal) return again(BUSY_DELAY_MS);
    if (error instanceof HostRefusal) return again(DELAYS_MS[error.code] ?? BUSY_DELAY_MS);
    throw error;
  }
  ports.onUsed(installation.id);
  await ports.store.done(message.id);
  return ENDED;
}

/** Longer where somebody has to do something about it. */
const DELAYS_MS: Record<string, number> = {
  'installation-disabled': RESTING_DELAY_MS,
  'installation-suspended': RESTING_DELAY_MS,
  'release-blocked': RESTING_DELAY_MS,
  // It is being installed, or nobody has finished that.
  'installation-busy': 10_000,
};

async function fail(
  { store, record, nowMs }: RunMessagePorts,
  installation: InstallationFacts,
  { id, queue, attempts, attemptsMax }: StoredMessage,
  code: string,
  delayMs: number | null,
): Promise<Verdict> {
  await store.failed(id, code, delayMs);
  const next = delayMs === null ? 'it is dead; see: gate queue list' : `it is tried again in ${delayMs / 1_000} s`;
  record(installation, {
    at: new Date(nowMs()).toISOString(),
    invocationId: id,
    source: 'host',
    level: delayMs === null ? 'error' : 'warn',
    message: `message of queue ${queue} failed: ${code}; attempt ${attempts + 1} of ${attemptsMax}, ${next}`,
    facts: { messageId: id, queue, code },
  });
  return delayMs === null ? ENDED : again(delayMs);
}

/**
 * Every attempt is the same invocation: same id, same random values. So what it did before it failed is recorded under the same
 * keys, and is not done again.
 */
function run(
  { runPlugin }: RunMessagePorts,
  installation: InstallationFacts,
  message: StoredMessage,
): Promise<unknown> {
  const { id, queue, payload, attempts, depth, seed, createdAtMs } = message;
  const event = {
    hook: hookOfQueue(queue),
    eventId: id,
    occurredAt: new Date(createdAtMs).toISOString(),
    payload: JSON.parse(payload) as Json,
    attempt: attempts + 1,
  };
  return runPlugin(
    installation,
    { kind: 'hook', event },
    { caller: null, lineage: { depth, waiting: [] }, attempt: { invocationId: id, seed } },
  );
}
