import type { Knex } from 'knex';
import type { PublisherKey } from '../contract.ts';
import { KeyModel } from './key-model.ts';

export interface NewKey {
  id: string;
  organisationId: string;
  keyId: string;
  label: string;
  publicKeyPem: string;
}

export interface KeyStore {
  /** False where the key is registered already, by whomever. */
  insert(key: NewKey): Promise<boolean>;
  find(keyId: string): Promise<(PublisherKey & { organisationId: string }) | null>;
  /** Oldest first. */
  list(organisationId: string): Promise<PublisherKey[]>;
  /** Keys that are not revoked; locked until the end of the transaction, so that a revocation waits for it. */
  lockActive(organisationId: string): Promise<PublisherKey[]>;
  /** Keys that are not revoked. */
  listActive(organisationId: string): Promise<PublisherKey[]>;
}

export function createKeyStore(database: Knex): KeyStore {
  const of = (organisationId: string) =>
    KeyModel.query(database).where('organisation_id', organisationId).orderBy('id');
  return {
    async insert(key) {
      const row = KeyModel.fromJson(key).$toDatabaseJson();
      const inserted = await database('publisher_keys').insert(row).onConflict('key_id').ignore().returning('id');
      return inserted.length === 1;
    },
    async find(keyId) {
      const row = await KeyModel.query(database).findOne('key_id', keyId);
      return row ? { ...keyOf(row), organisationId: row.organisationId } : null;
    },
    list: async (organisationId) => (await of(organisationId)).map(keyOf),
    lockActive: async (organisationId) => (await of(organisationId).whereNull('revoked_at').forShare()).map(keyOf),
    listActive: async (organisationId) => (await of(organisationId).whereNull('revoked_at')).map(keyOf),
  };
}

const keyOf = ({ keyId, label, publicKeyPem, createdAt, revokedAt }: KeyModel): PublisherKey => ({
  keyId,
  label,
  publicKeyPem,
  createdAt: createdAt.toISOString(),
  revokedAt: revokedAt?.toISOString() ?? null,
});
