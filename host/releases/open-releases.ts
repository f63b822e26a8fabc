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
import { notificationStore } from '../notifications/notification-store.ts';
import type { Releases } from './contract.ts';
import { reachStore } from './reach-store.ts';
import { type StopBlocked, stopBlocked } from './stop-blocked.ts';
import { createReleases } from './yank-release.ts';

export interface OpenReleasesPorts extends Omit<RegistryPorts, 'database'> {
  /** For whoever acts. */
  scoped: Knex;
  registry: Pick<Registry, 'releaseById' | 'publishedVersions' | 'publishRelease'>;
  sandbox: Pick<Sandbox, 'stop' | 'evict'>;
  transparency: Pick<Transparency, 'proveStored' | 'keyLinks'>;
}

/** What becomes of releases and keys, and who is told. */
export function openReleases({ scoped, registry, sandbox, transparency, ...ports }: OpenReleasesPorts): {
  routes: { releases: Releases; releaseLife: ReleaseLife; keyLife: KeyLife; uploads: Uploads; transfers: Transfers };
  stopBlocked: StopBlocked;
} {
  const { system, nowMs } = ports;
  const publishing = createPublishing({ ...ports, database: scoped, publishRelease: registry.publishRelease });
  const transfers = createTransferring({ ...ports, database: scoped, transparency });
  const store = reachStore(system);
  const releases = createReleases({
    store,
    registry,
    life: publishing.releaseLife,
    notifications: notificationStore(system),
    nowMs,
  });
  return { routes: { releases, ...publishing, transfers }, stopBlocked: stopBlocked({ store, sandbox }) };
}
