import type { Knex } from 'knex';
import { changeAwareCache } from '../change-aware-cache.ts';
import { createEventDelivery, type EventDelivery } from '../events/deliver-events.ts';
import { eventStore } from '../events/event-store.ts';
import { type CapabilityMeter, createCapabilityMeter } from '../grants/capability-meter.ts';
import { type GrantStore, grantStore } from '../grants/grant-store.ts';
import { createGrantWatch, type GrantWatch } from '../grants/grant-watch.ts';
import type { Log } from '../http/log.ts';
import type { Installation, InstallationFacts } from '../installations/contract.ts';
import type { PluginRunner, RunnerPorts } from '../invocations/run-plugin.ts';
import type { Metrics } from '../metrics.ts';
import { pluginMessageStore } from '../notifications/plugin-message-store.ts';
import { type Broker, createBroker } from './broker.ts';
import { installationsOfPlugin } from './callee-store.ts';
import { type CapabilityPorts, capabilityCalls } from './compose.ts';
import { kvStore } from './kv-store.ts';
import { repeatWhileDown } from './repeat-while-down.ts';

export interface OpenCapabilitiesPorts
  extends Pick<CapabilityPorts, 'egress' | 'secrets' | 'shownSecrets' | 'queue' | 'newId' | 'newSeed' | 'nowMs'> {
  knex: Knex;
  /** Made after the broker, which it needs: called only while invocations run. */
  runPlugin: PluginRunner;
  /** Null where the installation or its release is gone. */
  factsOf(installationId: string): Promise<InstallationFacts | null>;
  recorder: Pick<RunnerPorts, 'record' | 'meter'>;
  metrics: Pick<Metrics, 'capabilityCall'>;
  log: Log;
}

export interface OpenCapabilities {
  broker: Broker;
  /** What the runner tells: as the recorder, and what capabilities were used without a call. */
  recording: Pick<RunnerPorts, 'record' | 'meter'>;
  delivery: EventDelivery;
  grantStore: GrantStore;
  grantWatch: GrantWatch;
  meter: CapabilityMeter;
  /** Forgets which installations there are. */
  clear(): void;
  /** Forgets what nobody needs any more. */
  sweep(): Promise<void>;
}

/** A missed notification is made good after this time. */
const KEEP_MS = 60_000;

/** Everything that stands behind host calls in production. */
export function openCapabilities(ports: OpenCapabilitiesPorts): OpenCapabilities {
  const { knex, runPlugin, factsOf, recorder, metrics, log, nowMs } = ports;
  const kv = kvStore(knex);
  const events = eventStore(knex);
  const grants = grantStore(knex);
  const meter = createCapabilityMeter(grants, nowMs);
  const grantWatch = createGrantWatch(grants.grantsOf, nowMs);
  const delivery = createEventDelivery({
    store: events,
    factsOf,
    runPlugin,
    record: recorder.record,
    onDelivered: (id) => meter.used(id, 'events'),
    nowMs,
    log,
  });
  const callees = changeAwareCache<InstallationFacts[]>({
    load: async (key) => {
      const [operatorId, plugin] = key.split(' ') as [string, string];
      const found = await Promise.all((await installationsOfPlugin(knex, operatorId, plugin)).map(factsOf));
      return found.filter((each) => each !== null);
    },
    ttlMs: () => KEEP_MS,
  });
  const broker = createBroker({
    calls: repeatWhileDown(
      capabilityCalls({
        ...ports,
        kvStore: kv,
        events,
        onPublished: delivery.wake,
        messages: pluginMessageStore(knex),
        findInstallations: async (operatorId, plugin) => callees.find(`${operatorId} ${plugin}`),
      }),
      nowMs,
    ),
    onOutage: (error, call) => log.error({ err: error, call }, 'capability failed'),
    grantsOf: grantWatch.grantsOf,
    onCall: (call) => {
      metrics.capabilityCall(call);
      meter.called(call);
    },
    onUse: meter.used,
  });
  return {
    broker,
    recording: {
      record: (installation, entry) => {
        if (entry.source === 'log') meter.used(installation.id, 'log');
        recorder.record(installation, entry);
      },
      meter: (installation, job, outcome, logBytes) => {
        // It is part of the input of every invocation: nothing tells whether the plugin looked at it.
        if (isConfigured(installation)) meter.used(installation.id, 'config');
        recorder.meter(installation, job, outcome, logBytes);
      },
    },
    delivery,
    grantStore: grants,
    grantWatch,
    meter,
    clear: callees.clear,
    sweep: async () => {
      await kv.sweepExpired();
      await events.sweep();
    },
  };
}

function isConfigured({ grants, config }: Pick<Installation, 'grants' | 'config'>): boolean {
  // Asked after each invocation: a list of all names would be made to be counted.
  if (grants.includes('config')) for (const _name in config as object) return true;
  return false;
}
