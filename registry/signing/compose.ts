import type { Knex } from 'knex';
import type { Registry } from '../contract.ts';
import type { KeyLife } from './contract.ts';
import { createKeyStore } from './key-store.ts';
import { type RevokeKeyPorts, revokeKey } from './revoke-key.ts';
import { rotateKey } from './rotate-key.ts';

export interface KeyLifePorts {
  /** For whoever acts. */
  database: Knex;
  auditIn(transaction: Knex): RevokeKeyPorts['audit'];
  logIn(transaction: Knex): RevokeKeyPorts['logEvent'];
  registerKeyIn(transaction: Knex): Registry['registerKey'];
  lockPluginsIn(transaction: Knex): RevokeKeyPorts['lockPlugins'];
  blockReleasesIn(transaction: Knex): RevokeKeyPorts['blockReleases'];
  nowMs: () => number;
}

export function createKeyLife(ports: KeyLifePorts): KeyLife {
  const { database, nowMs } = ports;
  const storesIn = (transaction: Knex) => ({
    keys: createKeyStore(transaction),
    audit: ports.auditIn(transaction),
    logEvent: ports.logIn(transaction),
    nowMs,
  });
  return {
    rotate: (...args) =>
      database.transaction((transaction) =>
        rotateKey({ ...storesIn(transaction), registerKey: ports.registerKeyIn(transaction) })(...args),
      ),
    revoke: (...args) =>
      database.transaction((transaction) =>
        revokeKey({
          ...storesIn(transaction),
          lockPlugins: ports.lockPluginsIn(transaction),
          blockReleases: ports.blockReleasesIn(transaction),
        })(...args),
      ),
  };
}
