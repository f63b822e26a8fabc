import type { Principal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Installation, InstallationFacts, Installations } from '../installations/contract.ts';
import type { CapabilityMeter } from './capability-meter.ts';
import type { Grants } from './contract.ts';
import type { GrantStore } from './grant-store.ts';
import type { GrantWatch } from './grant-watch.ts';
import { describeGrants } from './rules/describe-grants.ts';

export interface GrantsPorts {
  store: GrantStore;
  installations: Pick<Installations, 'find'>;
  cache: {
    withRelease(installation: Installation): Promise<Pick<InstallationFacts, 'manifest'> | null>;
    clear(): void;
  };
  meter: Pick<CapabilityMeter, 'flush'>;
  watch: GrantWatch;
  nowMs(): number;
}

export function createGrants({ store, installations, cache, meter, watch, nowMs }: GrantsPorts): Grants {
  const describe = async (actor: Principal, id: string) => {
    const installation = await installations.find(actor, id);
    const facts = await cache.withRelease(installation);
    if (facts === null) throw new HostRefusal('installation-unknown');
    return { installation, manifest: facts.manifest };
  };
  const list: Grants['list'] = async (actor, id) => {
    const { installation, manifest } = await describe(actor, id);
    await meter.flush();
    return { items: describeGrants(manifest, installation.grants, await store.times(id), nowMs()) };
  };
  /** The notification reaches every host; here the change must count at once. */
  const changed = async (actor: Principal, id: string) => {
    cache.clear();
    await watch.changed(id);
    return list(actor, id);
  };
  return {
    list,
    grant: async (actor, id, capability) => {
      const declared = ((await describe(actor, id)).manifest.capabilities ?? []).map(({ name }) => name);
      if (!declared.includes(capability)) {
        throw new HostRefusal('capability-undeclared', undefined, { undeclared: [capability], declared });
      }
      await store.grant(id, capability);
      return changed(actor, id);
    },
    revoke: async (actor, id, capability) => {
      await installations.find(actor, id);
      await store.revoke(id, capability);
      return changed(actor, id);
    },
  };
}
