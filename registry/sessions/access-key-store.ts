import type { Knex } from 'knex';

export interface StoredAccessKey {
  /** The `kid` of tokens. */
  id: string;
  /** The private key, PKCS #8 PEM, sealed. */
  sealed: Buffer;
  publicKeyPem: string;
  createdAt: Date;
}

export interface AccessKeyStore {
  /** Newest first. */
  list(): Promise<StoredAccessKey[]>;
  /** False where somebody else has made one since `since`; of many at once, one does. */
  insertFirstSince(key: StoredAccessKey, since: Date): Promise<boolean>;
  removeOld(before: Date): Promise<void>;
}

export const createAccessKeyStore = (database: Knex): AccessKeyStore => ({
  list: async () =>
    (await database('access_token_keys').orderBy('created_at', 'desc').limit(20)).map((row) => ({
      id: row.id,
      sealed: row.sealed,
      publicKeyPem: row.public_key_pem,
      createdAt: row.created_at,
    })),
  insertFirstSince: ({ id, sealed, publicKeyPem, createdAt }, since) =>
    database.transaction(async (transaction) => {
      await transaction.raw(`select pg_advisory_xact_lock(hashtextextended('access-token-keys', 0))`);
      const newer = await transaction('access_token_keys').where('created_at', '>', since).first('id');
      if (newer) return false;
      const row = { id, sealed, public_key_pem: publicKeyPem, created_at: createdAt };
      await transaction('access_token_keys').insert(row);
      return true;
    }),
  removeOld: async (before) => void (await database('access_token_keys').where('created_at', '<', before).delete()),
});
