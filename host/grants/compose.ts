import type { Knex } from 'knex';
import type { Principal } from '../../registry/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import { HostRefusal } from '../errors.ts';
import type { Installation, InstallationFacts, Installations } from '../installations/contract.ts';
import type { CapabilityMeter } from './capability-meter.ts';
import type { Grants } from './contract.ts';
import { grantStore } from './grant-store.ts';
import type { GrantWatch } from './grant-watch.ts';
import { describeGrants } from './rules/describe-grants.ts';

export interface GrantsPorts {
  scoped: Knex;
  audit: AuditInstallation;
  installations: Pick<Installations, 'find'>;
  cache: {
    withRelease(installation: Installation): Promise<Pick<InstallationFacts, 'manifest'> | null>;
    changed(id: string): Promise<void>;
  };
  capabilities: { meter: Pick<CapabilityMeter, 'flush'>; grantWatch: GrantWatch };
  nowMs(): number;
}

export function createGrants({ scoped, audit, installations, cache, capabilities, nowMs }: GrantsPorts): Grants {
  const { meter, grantWatch: watch } = capabilities;
  const store = grantStore(scoped, audit);
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
    void cache.changed(id);
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
