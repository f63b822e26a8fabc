import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import { isRunnable, type Release } from '../../registry/index.ts';
import { changeAwareCache } from '../change-aware-cache.ts';
import type { RememberedRegistry } from '../remembered-registry.ts';
import type { RolloutStore } from '../rollouts/rollout-store.ts';
import type { Installation, InstallationFacts } from './contract.ts';
import type { InstallationStore } from './installation-store.ts';
import { onCanary } from './move-release.ts';

export interface InstallationCachePorts {
  store: Pick<InstallationStore, 'byId' | 'bySlug'>;
  registry: Pick<RememberedRegistry, 'findOrganisation' | 'releaseById'>;
  rollouts: Pick<RolloutStore, 'canaryOf'>;
}

export interface InstallationCache {
  /** By `operator/installation`, from memory if possible; an unknown address is remembered as well. */
  find(address: string): InstallationFacts | null | Promise<InstallationFacts | null>;
  /** Reads the release's part of the facts, and the canary's where one runs; null where the release is gone. */
  withRelease(installation: Installation): Promise<InstallationFacts | null>;
  /** To be called for every change of a release, a key or a member, from whichever host. */
  clear(): void;
  /** The same for a change of one installation; it is read again at once where it was kept. */
  forget(id: string): Promise<void>;
  /** The same for a change that was made here, and read in any case: who installs or changes something calls it next. */
  changed(id: string): Promise<void>;
}

const blockOf = (release: Release): InstallationFacts['blocked'] =>
  isRunnable(release)
    ? null
    : (release.blocked ?? { at: release.reviewedAt ?? release.createdAt, reason: `It is ${release.state}.` });

/** A missed notification is made good after this time. */
const KEEP_MS = 60_000;

/** Installations by address, so that the data plane asks no database. */
export function installationCache({ store, registry, rollouts }: InstallationCachePorts): InstallationCache {
  const readCanary = async (installation: Installation): Promise<InstallationFacts['rollout']> => {
    const terms = await rollouts.canaryOf(installation.id);
    const release = terms && (await registry.releaseById(terms.toReleaseId));
    // Promoted or dropped a moment ago, or gone: the stable release answers.
    if (!release || terms.fromReleaseId !== installation.releaseId) return undefined;
    const { rolloutId: id, percent } = terms;
    const canary = {
      ...onCanary(installation, release, terms),
      rollout: { id, arm: 'canary' } as const,
      blocked: blockOf(release),
    };
    return { id, arm: 'stable', percent, canary };
  };
  const withRelease = async (installation: Installation): Promise<InstallationFacts | null> => {
    const release = await registry.releaseById(installation.releaseId);
    if (release === null) return null;
    const limits = effectiveLimits(release.manifest.limits ?? {}, installation.grantedLimits);
    const facts = { ...installation, manifest: release.manifest, limits, blocked: blockOf(release) };
    const rollout = installation.updates.canary === null ? undefined : await readCanary(installation);
    return rollout === undefined ? facts : { ...facts, rollout };
  };
  const cache = changeAwareCache<InstallationFacts | null>({
    load: async (address) => {
      const [operatorSlug, slug] = address.split('/') as [string, string];
      const operator = await registry.findOrganisation(operatorSlug);
      const installation = operator && (await store.bySlug(operator.id, slug));
      return installation && withRelease(installation);
    },
    ttlMs: () => KEEP_MS,
  });
  /** Returns whether it was kept. */
  const drop = (id: string): boolean => {
    let kept = false;
    cache.forget((facts) => {
      if (facts?.id === id) kept = true;
      // What was not there may be there now.
      return facts === null || facts.id === id;
    });
    return kept;
  };
  // Where it cannot be read now, whoever calls it reads it, or learns why not.
  const readAhead = async (id: string) => {
    const installation = await store.byId(id).catch(() => null);
    if (installation)
      await Promise.resolve(cache.find(`${installation.operator.slug}/${installation.slug}`)).catch(() => {});
  };
  return {
    find: cache.find,
    withRelease,
    clear: cache.clear,
    forget: async (id) => {
      if (drop(id)) await readAhead(id);
    },
    changed: (id) => {
      drop(id);
      return readAhead(id);
    },
  };
}
