import type { Knex } from 'knex';
import type { Principal, Registry } from '../../registry/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import type { Envelope, Place } from '../encryption/envelope.ts';
import { HostRefusal } from '../errors.ts';
import type { Installations } from '../installations/contract.ts';
import type { SecretReader, SecretStatus, Secrets } from './contract.ts';
import { type SecretStore, secretStore } from './secret-store.ts';

export interface SecretsPorts {
  scoped: Knex;
  audit: AuditInstallation;
  envelope: Envelope;
  /** The actor's own installation. Refuses with: installation-unknown. */
  installations: Pick<Installations, 'find'>;
  registry: Pick<Registry, 'releaseById'>;
}

interface ReaderPorts {
  store: SecretStore;
  envelope: Envelope;
}

const placeOf = (installationId: string, name: string): Place => ({
  table: 'installation_secrets',
  row: `${installationId}/${name}`,
  column: 'sealed',
});

/** Reads what `createSecrets` writes. Rejects with SealBroken where the key of a value is not configured any more. */
export function secretReader({ store, envelope }: ReaderPorts): SecretReader {
  const names = async (installationId: string) => (await store.list(installationId)).map(({ name }) => name);
  const read = async (installationId: string, name: string) => {
    const sealed = await store.find(installationId, name);
    return sealed && envelope.open(placeOf(installationId, name), sealed);
  };
  return {
    names,
    read,
    values: async (installationId) => {
      const values = await Promise.all((await names(installationId)).map((name) => read(installationId, name)));
      return values.filter((value) => value !== null);
    },
  };
}

export function createSecrets({ scoped, audit, envelope, installations, registry }: SecretsPorts): Secrets {
  const store = secretStore(scoped, audit);
  const { find } = installations;
  const { releaseById } = registry;
  const declaredBy = async (actor: Principal, id: string) => {
    const release = await releaseById((await find(actor, id)).releaseId);
    return release?.manifest.secrets ?? [];
  };
  const list: Secrets['list'] = async (actor, id) => {
    const secrets = await declaredBy(actor, id);
    const set = new Map((await store.list(id)).map(({ name, updatedAt }) => [name, updatedAt]));
    const declared = secrets.map(
      ({ name, reason, optional = false, send }): SecretStatus => ({
        name,
        reason,
        optional,
        send: send ? { hosts: send.hosts, header: send.header } : null,
        isSet: set.has(name),
        updatedAt: set.get(name) ?? null,
      }),
    );
    const left = [...set].filter(([name]) => !secrets.some((each) => each.name === name));
    return [
      ...declared,
      ...left.map(([name, updatedAt]) => ({
        name,
        reason: NOT_DECLARED,
        optional: true,
        send: null,
        isSet: true,
        updatedAt,
      })),
    ];
  };

  return {
    list,
    set: async (actor, id, name, value) => {
      const secrets = await declaredBy(actor, id);
      if (!secrets.some((each) => each.name === name)) {
        const declared = secrets.map((each) => each.name);
        throw new HostRefusal('secret-unknown', undefined, { name, declared });
      }
      await store.put(id, name, envelope.seal(placeOf(id, name), value));
      return (await list(actor, id)).find((each) => each.name === name)!;
    },
    remove: async (actor, id, name) => {
      await find(actor, id);
      await store.remove(id, name);
    },
  };
}

const NOT_DECLARED = 'The installed version does not declare it; nothing uses it.';
