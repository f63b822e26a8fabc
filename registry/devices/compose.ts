import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Audit } from '../rules/audit-entry.ts';
import type { Devices } from './contract.ts';
import { createDeviceCodeStore } from './device-code-store.ts';
import { approveDevice, beginDevice, claimDevice, type DevicePorts, denyDevice, readDevice } from './log-in-device.ts';

/** Some time after their end, so that whoever is late still learns what happened. */
const KEEP_MS = 3_600_000;

export interface DevicesPorts extends Pick<DevicePorts, 'nowMs' | 'newId'> {
  /** For the person who lets a device in. */
  database: Knex;
  /** For the device: it is nobody until somebody has let it in. */
  system: Knex;
  auditIn(database: Knex): Audit;
  issueIn(database: Knex): DevicePorts['issue'];
}

/** Device codes over one database; every use case is one transaction. */
export function createDevices({ database, system, auditIn, issueIn, nowMs, newId }: DevicesPorts): Devices {
  const portsIn = (transaction: Knex): DevicePorts => ({
    codes: createDeviceCodeStore(transaction),
    audit: auditIn(transaction),
    issue: issueIn(transaction),
    nowMs,
    newId,
    randomBytes,
  });
  const aloneOn =
    (knex: Knex) =>
    <Args extends unknown[], Result>(useCase: (ports: DevicePorts) => (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      knex.transaction((transaction) => useCase(portsIn(transaction))(...args));
  const asPerson = aloneOn(database);
  const asDevice = aloneOn(system);
  return {
    begin: asDevice(beginDevice),
    read: asPerson(readDevice),
    approve: asPerson(approveDevice),
    deny: asPerson(denyDevice),
    claim: async (deviceCode) => {
      const claim = await asDevice(claimDevice)(deviceCode);
      if ('refusal' in claim) throw claim.refusal;
      return claim.issued;
    },
    sweep: () => createDeviceCodeStore(system).removeEnded(new Date(nowMs() - KEEP_MS)),
  };
}
