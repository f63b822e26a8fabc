import type { Egress } from '../egress/send-request.ts';
import type { SecretReader } from '../secrets/contract.ts';
import type { ShownSecrets } from '../secrets/shown-secrets.ts';
import type { CapabilityCalls } from './broker.ts';
import { fetchCalls } from './fetch.ts';
import { kvCalls } from './kv.ts';
import type { KvStore } from './kv-store.contract.ts';
import { secretCalls } from './secrets.ts';

/** What the capabilities stand on. */
export interface CapabilityPorts {
  kvStore: KvStore;
  egress: Pick<Egress, 'send'>;
  secrets: SecretReader;
  shownSecrets: Pick<ShownSecrets, 'shown'>;
  nowMs(): number;
}

/** The work behind every host call, a file for each capability: the same in production, `gate dev` and the test harness. */
export const capabilityCalls = (ports: CapabilityPorts): CapabilityCalls => ({
  ...kvCalls(ports.kvStore),
  ...fetchCalls(ports),
  ...secretCalls(ports),
});
