import type { CapabilityCalls } from './broker.ts';
import { kvCalls } from './kv.ts';
import type { KvStore } from './kv-store.contract.ts';

/** What the capabilities stand on. */
export interface CapabilityPorts {
  kvStore: KvStore;
}

/** The work behind every host call, a file for each capability: the same in production, `gate dev` and the test harness. */
export const capabilityCalls = (ports: CapabilityPorts): CapabilityCalls => ({
  ...kvCalls(ports.kvStore),
});
