import type { Knex } from 'knex';
import type { Passkey } from './contract.ts';

export interface StoredPasskey {
  id: string;
  accountId: string;
  label: string;
  credentialId: Buffer;
  publicKey: Buffer;
  counter: number;
  transports: string[];
  backedUp: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
}

export interface PasskeyStore {
  /** Oldest first. */
  list(accountId: string): Promise<StoredPasskey[]>;
  findByCredential(credentialId: Buffer): Promise<StoredPasskey | null>;
  /** False where the credential is registered already, for whomever. */
  insert(passkey: Omit<StoredPasskey, 'lastUsedAt'>): Promise<boolean>;
  /** Notes a use. False where another use, at once or since, has counted as far: then this one is a copy. */
  count(id: string, use: { counter: number; backedUp: boolean; at: Date }): Promise<boolean>;
  remove(accountId: string, id: string): Promise<boolean>;
  removeAll(accountId: string): Promise<void>;
}

interface Row {
  id: string;
  account_id: string;
  label: string;
  credential_id: Buffer;
  public_key: Buffer;
  /** A bigint, as text. */
  counter: string;
  transports: string[];
  backed_up: boolean;
  created_at: Date;
  last_used_at: Date | null;
}

export function createPasskeyStore(database: Knex): PasskeyStore {
  const rows = () => database<Row>('passkeys');
  return {
    list: async (accountId) => (await rows().where('account_id', accountId).orderBy('id').select('*')).map(passkeyOf),
    findByCredential: async (credentialId) => {
      const row = await rows().where('credential_id', credentialId).first('*');
      return row ? passkeyOf(row as Row) : null;
    },
    insert: async (passkey) => {
      const inserted = await database('passkeys')
        .insert({
          id: passkey.id,
          account_id: passkey.accountId,
          label: passkey.label,
          credential_id: passkey.credentialId,
          public_key: passkey.publicKey,
          counter: passkey.counter,
          transports: passkey.transports,
          backed_up: passkey.backedUp,
          created_at: passkey.createdAt,
        })
        .onConflict('credential_id')
        .ignore()
        .returning('id');
      return inserted.length === 1;
    },
    count: async (id, { counter, backedUp, at }) => {
      const counted = await database('passkeys')
        .where('id', id)
        .where((either) => {
          either.where('counter', '<', counter);
          if (counter === 0) either.orWhere('counter', 0);
        })
        .update({ counter, backed_up: backedUp, last_used_at: at })
        .returning('id');
      return counted.length === 1;
    },
    remove: async (accountId, id) => (await database('passkeys').where({ account_id: accountId, id }).delete()) === 1,
    removeAll: async (accountId) => void (await database('passkeys').where('account_id', accountId).delete()),
  };
}

const passkeyOf = (row: Row): StoredPasskey => ({
  id: row.id,
  accountId: row.account_id,
  label: row.label,
  credentialId: row.credential_id,
  publicKey: row.public_key,
  counter: Number(row.counter),
  transports: row.transports,
  backedUp: row.backed_up,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

/** What of a passkey may be shown. */
export const shownPasskey = ({ id, label, backedUp, createdAt, lastUsedAt }: StoredPasskey): Passkey => ({
  id,
  label,
  backedUp,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});
