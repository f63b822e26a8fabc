import type { Knex } from 'knex';
import {
  createPublishing,
  createTransferring,
  type KeyLife,
  type Registry,
  type RegistryPorts,
  type ReleaseLife,
  type Transfers,
  type Transparency,
  type Uploads,
} from '../../registry/index.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import type { Log } from '../http/log.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import type { Releases } from './contract.ts';
import { reachStore } from './reach-store.ts';
import { type StopBlocked, stopBlocked } from './stop-blocked.ts';
import { tellOfImports } from './tell-of-imports.ts';
import { createReleases } from './yank-release.ts';

export interface OpenReleasesPorts extends Omit<RegistryPorts, 'database'> {
  /** For whoever acts. */
  scoped: Knex;
  registry: Pick<Registry, 'releaseById' | 'publishedVersions' | 'publishRelease'>;
  sandbox: Pick<Sandbox, 'stop' | 'evict'>;
  transparency: Pick<Transparency, 'proveStored' | 'keyLinks'>;
  log: Pick<Log, 'error'>;
}

/** What becomes of releases and keys, and who is told. */
export function openReleases({ scoped, registry, sandbox, transparency, log, ...ports }: OpenReleasesPorts): {
  routes: { releases: Releases; releaseLife: ReleaseLife; keyLife: KeyLife; uploads: Uploads; transfers: Transfers };
  stopBlocked: StopBlocked;
} {
  const { system, nowMs } = ports;
  const publishing = createPublishing({ ...ports, database: scoped, publishRelease: registry.publishRelease });
  const told = { store: reachStore(system), notifications: notificationStore(system), nowMs };
  const releases = createReleases({ ...told, registry, life: publishing.releaseLife });
  const transfers = tellOfImports({
    ...told,
    transfers: createTransferring({ ...ports, database: scoped, transparency }),
    log,
  });
  return { routes: { releases, ...publishing, transfers }, stopBlocked: stopBlocked({ store: told.store, sandbox }) };
}
