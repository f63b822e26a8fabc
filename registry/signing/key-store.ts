import type { Knex } from 'knex';
import type { PublisherKey } from '../contract.ts';
import { keyCovers } from '../rules/key-validity.ts';
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
  /** Keys that sign now; locked until the end of the transaction, so that a revocation waits for it. */
  lockActive(organisationId: string): Promise<PublisherKey[]>;
  /** The same with those that have retired. */
  lockUnrevoked(organisationId: string): Promise<PublisherKey[]>;
  /** Keys that spoke for their publisher in what was received then; see rules/key-validity.ts. */
  listAt(organisationId: string, receivedAtMs: number): Promise<PublisherKey[]>;
  /** The key, kept as it is until the end of the transaction. */
  lock(keyId: string): Promise<(PublisherKey & { organisationId: string; publisher: string }) | null>;
  save(
    keyId: string,
    change: { revokedAt?: Date; retiresAt?: Date; successorId?: string; compromisedSince?: Date },
  ): Promise<void>;
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
    lockActive: async (organisationId) =>
      (
        await of(organisationId)
          .whereNull('revoked_at')
          .where((either) => either.whereNull('retires_at').orWhereRaw('retires_at > now()'))
          .forShare()
      ).map(keyOf),
    lockUnrevoked: async (organisationId) => (await of(organisationId).whereNull('revoked_at').forShare()).map(keyOf),
    listAt: async (organisationId, receivedAtMs) =>
      (await of(organisationId)).map(keyOf).filter((key) => keyCovers(key, receivedAtMs)),
    async lock(keyId) {
      const row = await KeyModel.query(database).findOne('key_id', keyId).forUpdate();
      if (!row) return null;
      const { slug } = await database('organisations').where('id', row.organisationId).first('slug');
      return { ...keyOf(row), organisationId: row.organisationId, publisher: slug };
    },
    async save(keyId, change) {
      await KeyModel.query(database).where('key_id', keyId).patch(change);
    },
  };
}

const keyOf = (row: KeyModel): PublisherKey => ({
  keyId: row.keyId,
  label: row.label,
  publicKeyPem: row.publicKeyPem,
  createdAt: row.createdAt.toISOString(),
  revokedAt: row.revokedAt?.toISOString() ?? null,
  retiresAt: row.retiresAt?.toISOString() ?? null,
  successorId: row.successorId,
  compromisedSince: row.compromisedSince?.toISOString() ?? null,
});
