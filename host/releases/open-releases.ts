import type { Knex } from 'knex';
import {
  createPublishing,
  type KeyLife,
  type Registry,
  type RegistryPorts,
  type ReleaseLife,
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
}

/** What becomes of releases and keys, and who is told. */
export function openReleases({ scoped, registry, sandbox, ...ports }: OpenReleasesPorts): {
  routes: { releases: Releases; releaseLife: ReleaseLife; keyLife: KeyLife; uploads: Uploads };
  stopBlocked: StopBlocked;
} {
  const { system, newId, nowMs } = ports;
  const publishing = createPublishing({ ...ports, database: scoped, publishRelease: registry.publishRelease });
  const store = reachStore(system);
  const releases = createReleases({
    store,
    registry,
    life: publishing.releaseLife,
    notifications: notificationStore(system),
    newId,
    nowMs,
  });
  return { routes: { releases, ...publishing }, stopBlocked: stopBlocked({ store, sandbox }) };
}
