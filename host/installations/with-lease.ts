import { setTimeout as rest } from 'node:timers/promises';
import { HostRefusal } from '../errors.ts';
import type { ChangeStore, Lease } from './change-store.ts';
import type { Installation } from './contract.ts';
import type { InstallationStore } from './installation-store.ts';

export interface LeasePorts {
  store: Pick<InstallationStore, 'byId'>;
  changes: ChangeStore;
}

/** A host that died in the middle of a change is waited for so long; a living one keeps its lease. */
const LEASE_MS = 30_000;
const KEEP_EVERY_MS = 10_000;
/** People's changes wait for another one so long; the policy's do not wait. */
const WAIT_MS = 3_000;
const LOOK_EVERY_MS = 100;

/** An installation as it is while nobody else changes it. */
export interface Leased {
  installation: Installation;
  revision: number;
}

/**
 * Lets one change of an installation be made at a time, over all hosts: changes run code of plugins, which no transaction
 * undoes. Null where there is no such installation. Refuses with: installation-busy, also where it is not installed to the end,
 * unless `installing` says that this may be.
 */
export async function withLease<Result>(
  { store, changes }: LeasePorts,
  id: string,
  work: (leased: Leased) => Promise<Result>,
  { waitMs = WAIT_MS, installing = false }: { waitMs?: number; installing?: boolean } = {},
): Promise<Result | null> {
  if ((await store.byId(id)) === null) return null;
  const lease = await takeLease(changes, id, waitMs);
  const keeper = setInterval(() => void changes.keep(id, lease, LEASE_MS).catch(() => {}), KEEP_EVERY_MS);
  try {
    const installation = await store.byId(id);
    if (installation?.installing && !installing)
      throw new HostRefusal('installation-busy', unfinishedText(installation));
    return installation && (await work({ installation, revision: lease.revision }));
  } finally {
    clearInterval(keeper);
    // What cannot be given back ends by itself.
    await changes.release(id, lease).catch(() => {});
  }
}

export const unfinishedText = ({ id, slug }: Pick<Installation, 'id' | 'slug'>): string =>
  `"${slug}" is not installed to the end: install it again with the id ${id}, or uninstall it.`;

async function takeLease(changes: ChangeStore, id: string, waitMs: number): Promise<Lease> {
  for (const endMs = performance.now() + waitMs; ; await rest(LOOK_EVERY_MS)) {
    const lease = await changes.take(id, LEASE_MS);
    if (lease) return lease;
    if (performance.now() >= endMs) throw new HostRefusal('installation-busy');
  }
}
