import type { Egress } from '../egress/send-request.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { PluginMessages } from '../notifications/contract.ts';
import type { SecretReader } from '../secrets/contract.ts';
import type { ShownSecrets } from '../secrets/shown-secrets.ts';
import type { CapabilityCalls } from './broker.ts';
import { cryptoCalls } from './crypto.ts';
import { type EventPorts, eventCalls } from './events.ts';
import { fetchCalls } from './fetch.ts';
import { kvCalls } from './kv.ts';
import type { KvStore } from './kv-store.contract.ts';
import { notifyCalls } from './notify.ts';
import { type PluginCallPorts, pluginCalls } from './plugins.ts';
import { type QueuePorts, queueCalls } from './queue.ts';
import { secretCalls } from './secrets.ts';

/** What the capabilities stand on. */
export interface CapabilityPorts {
  kvStore: KvStore;
  events: EventPorts['events'];
  /** Somebody may deliver at once. */
  onPublished(): void;
  messages: PluginMessages;
  findInstallations: PluginCallPorts['findInstallations'];
  /** The runner that calls of other plugins go through; it is made after the broker. */
  runPlugin: PluginRunner;
  newSeed(): string;
  queue: QueuePorts['queue'];
  newId(): string;
  egress: Pick<Egress, 'send'>;
  secrets: SecretReader;
  shownSecrets: Pick<ShownSecrets, 'shown'>;
  nowMs(): number;
}

/** The work behind every host call, a file for each capability: the same in production, `gate dev` and the test harness. */
export const capabilityCalls = (ports: CapabilityPorts): CapabilityCalls => ({
  ...kvCalls(ports.kvStore),
  ...eventCalls(ports),
  ...notifyCalls(ports),
  ...pluginCalls(ports),
  ...fetchCalls(ports),
  ...queueCalls(ports),
  ...secretCalls(ports),
  ...cryptoCalls(ports),
});
