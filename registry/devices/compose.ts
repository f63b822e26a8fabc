import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Audit } from '../rules/audit-entry.ts';
import type { Devices } from './contract.ts';
import { createDeviceCodeStore } from './device-code-store.ts';
import { approveDevice, beginDevice, claimDevice, type DevicePorts, denyDevice, readDevice } from './log-in-device.ts';

/** Some time after their end, so that whoever is late still learns what happened. */
const KEEP_MS = 3_600_000;

export interface DevicesPorts extends Pick<DevicePorts, 'nowMs' | 'newId'> {
  /** The host's own view: who asks for a code is nobody yet. */
  system: Knex;
  auditIn(database: Knex): Audit;
  issueIn(database: Knex): DevicePorts['issue'];
}

/** Device codes over one database; every use case is one transaction. */
export function createDevices({ system, auditIn, issueIn, nowMs, newId }: DevicesPorts): Devices {
  const portsIn = (transaction: Knex): DevicePorts => ({
    codes: createDeviceCodeStore(transaction),
    audit: auditIn(transaction),
    issue: issueIn(transaction),
    nowMs,
    newId,
    randomBytes,
  });
  const alone =
    <Args extends unknown[], Result>(useCase: (ports: DevicePorts) => (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      system.transaction((transaction) => useCase(portsIn(transaction))(...args));
  return {
    begin: alone(beginDevice),
    read: alone(readDevice),
    approve: alone(approveDevice),
    deny: alone(denyDevice),
    claim: async (deviceCode) => {
      const claim = await alone(claimDevice)(deviceCode);
      if ('refusal' in claim) throw claim.refusal;
      return claim.issued;
    },
    sweep: () => createDeviceCodeStore(system).removeEnded(new Date(nowMs() - KEEP_MS)),
  };
}
