import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import {
  type AuditIn,
  createDevices,
  createTokenStore,
  type Devices,
  issueForMember,
  type Registry,
} from '../../registry/index.ts';
import type { FindPrincipal } from '../http/authenticate.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { rememberUse } from './last-use.ts';

const WRITE_INTERVAL_MS = 60_000;

export interface ProgramsPorts {
  scoped: Knex;
  /** For devices that nobody has let in yet. */
  system: Knex;
  auditIn: AuditIn;
  registry: Pick<Registry, 'markTokensUsed'>;
  /** From memory. */
  findPrincipal: FindPrincipal;
  log: Log;
  nowMs: () => number;
  newId: () => string;
}

/** What programs act by: API tokens with the time of their last use, and codes by which a person logs one in. */
export function openPrograms(ports: ProgramsPorts): {
  routes: { devices: Devices; findPrincipal: FindPrincipal };
  close(): Promise<void>;
} {
  const { registry, log, newId, nowMs } = ports;
  const devices = createDevices({
    ...ports,
    database: ports.scoped,
    issueIn: (database) => issueForMember({ tokens: createTokenStore(database), newId, randomBytes }),
  });
  const lastUse = rememberUse(ports.findPrincipal, { markTokensUsed: registry.markTokensUsed, nowMs });
  const stopWriting = every(WRITE_INTERVAL_MS, lastUse.flush, log);
  const stopSweeping = every(WRITE_INTERVAL_MS, devices.sweep, log);
  return {
    routes: { devices, findPrincipal: lastUse.find },
    close: async () => {
      await Promise.all([stopWriting(), stopSweeping()]);
      await lastUse.flush();
    },
  };
}
