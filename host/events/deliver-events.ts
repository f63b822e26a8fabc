import { hookOfTopic, type Json, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { derivedId } from '../capabilities/derived-id.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { requireRunnable } from '../invocations/require-runnable.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { Delivery, EventStore } from './contract.ts';
import { delayAfter } from './rules/back-off.ts';

export interface EventDeliveryPorts {
  store: Pick<EventStore, 'claim' | 'done' | 'failed' | 'postpone'>;
  /** Null where the installation is gone. */
  factsOf(installationId: string): Promise<InstallationFacts | null>;
  runPlugin: PluginRunner;
  /** Keeps a line in the log of an installation. */
  record(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  /** Told of every delivery that reached its subscriber. */
  onDelivered(installationId: string): void;
  nowMs(): number;
  log: Log;
}

export interface EventDelivery {
  /** Takes what is due and begins with it; resolves when that is taken. Never rejects. */
  tick(): Promise<void>;
  /** The same, for those who cannot wait. */
  wake(): void;
  /** Takes nothing more. What runs ends with the sandbox, and whoever is left takes it again. */
  close(): Promise<void>;
}

const RUNNING_MAX = 32;
/** Longer than any invocation may wait and run. */
const LEASE_MS = 150_000;
const POSTPONE_MS = 1_000;
/** An attempt that so many hosts have begun and none has ended counts as one that failed. */
const CLAIMS_MAX = 3;

/** Brings events to their subscribers: at least once each, again with growing pauses after a failure, at most eight times. */
export function createEventDelivery(ports: EventDeliveryPorts): EventDelivery {
  const { store, log } = ports;
  /** By attempt: one whose lease ended while it still runs here is not begun beside itself. */
  const running = new Set<string>();
  let taking: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const begin = (delivery: Delivery) => {
    const attempt = attemptId(delivery);
    if (running.has(attempt)) return;
    running.add(attempt);
    void deliver(ports, delivery)
      // Its lease ends, and then somebody takes it again.
      .catch((error) => log.error({ err: error, eventId: delivery.eventId }, 'event not delivered'))
      .finally(() => {
        running.delete(attempt);
        void tick();
      });
  };
  const take = async () => {
    do {
      again = false;
      const room = RUNNING_MAX - running.size;
      if (closed || room <= 0) return;
      for (const delivery of await store.claim(room, LEASE_MS)) begin(delivery);
    } while (again);
  };
  const tick = () => {
    if (taking) again = true;
    taking ??= take()
      .catch((error) => log.error({ err: error }, 'events not read'))
      .finally(() => {
        taking = null;
      });
    return taking;
  };
  return {
    tick,
    wake: () => void tick(),
    close: async () => {
      closed = true;
      await taking;
    },
  };
}

async function deliver(ports: EventDeliveryPorts, delivery: Delivery): Promise<void> {
  const { store, factsOf, nowMs } = ports;
  const installation = await factsOf(delivery.installationId);
  if (installation === null || !hears(installation, delivery)) return store.done(delivery);
  try {
    if (delivery.claims > CLAIMS_MAX) throw new HostRefusal('internal-error');
    requireRunnable(installation);
    await run(ports, installation, delivery);
    ports.onDelivered(installation.id);
    await store.done(delivery);
  } catch (error) {
    if (error instanceof SandboxRefusal)
      return store.postpone(delivery, POSTPONE_MS, error.code === 'sandbox-interrupted');
    const code = codeOf(error);
    if (code === null) throw error;
    const delayMs = delayAfter(delivery.attempt);
    await store.failed(delivery, code, delayMs);
    const next = delayMs === null ? 'it is given up' : `it is tried again in ${delayMs / 1_000} s`;
    ports.record(installation, {
      at: new Date(nowMs()).toISOString(),
      invocationId: attemptId(delivery),
      source: 'host',
      level: delayMs === null ? 'error' : 'warn',
      message: `event ${delivery.topic} not delivered: ${code}; attempt ${delivery.attempt}, ${next}`,
      facts: { eventId: delivery.eventId, topic: delivery.topic, from: { ...delivery.from }, code },
    });
  }
}

/** Grants and subscriptions may have changed since it was published. */
const hears = ({ grants, manifest }: InstallationFacts, { topic, from }: Delivery): boolean =>
  grants.includes('events') &&
  (manifest.events?.subscribes ?? []).some(
    (each) => each.topic === topic && (each.from === undefined || each.from === from.plugin),
  );

const attemptId = ({ eventId, installationId, attempt }: Delivery): string =>
  derivedId(eventId, installationId, attempt);

function run({ runPlugin }: EventDeliveryPorts, installation: InstallationFacts, delivery: Delivery): Promise<unknown> {
  const { eventId, topic, payload, depth, seed, from, publishedAtMs, attempt } = delivery;
  const event = {
    hook: hookOfTopic(topic),
    eventId,
    occurredAt: new Date(publishedAtMs).toISOString(),
    payload: JSON.parse(payload) as Json,
    from,
  };
  return runPlugin(
    installation,
    { kind: 'hook', event },
    {
      caller: null,
      lineage: { depth, waiting: [] },
      attempt: { invocationId: attemptId(delivery), seed: sha256Hex(`${seed} ${installation.id} ${attempt}`) },
    },
  );
}

function codeOf(error: unknown): string | null {
  if (error instanceof PluginFaultError) return error.fault.code;
  return error instanceof HostRefusal ? error.code : null;
}
