import type { Knex } from 'knex';

export interface StoredTotp {
  id: string;
  label: string;
  sealed: Buffer;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** Authenticator apps and recovery codes. What must happen once happens in one statement. */
export interface FactorStore {
  findTotp(accountId: string, state: 'in-use' | 'waiting'): Promise<StoredTotp | null>;
  /** Takes the place of one that waits already. */
  insertTotp(totp: { id: string; accountId: string; label: string; sealed: Buffer; createdAt: Date }): Promise<void>;
  /** The waiting one takes the place of the one in use. False where it is gone. */
  confirmTotp(accountId: string, id: string, use: { step: number; at: Date }): Promise<boolean>;
  /** False where a code of this step or of a later one was taken before. */
  useTotp(id: string, use: { step: number; at: Date }): Promise<boolean>;
  /** Both. True where one was in use. */
  removeTotp(accountId: string): Promise<boolean>;

  countRecoveryCodes(accountId: string): Promise<number>;
  /** Takes the place of all there are. */
  replaceRecoveryCodes(accountId: string, hashes: Buffer[], at: Date): Promise<void>;
  /** False where there is no such code, or it was used. */
  useRecoveryCode(accountId: string, hash: Buffer, at: Date): Promise<boolean>;
}

interface Row {
  id: string;
  label: string;
  sealed: Buffer;
  created_at: Date;
  last_used_at: Date | null;
}

export function createFactorStore(database: Knex): FactorStore {
  const totps = (accountId: string, state: 'in-use' | 'waiting') => {
    const rows = database('totp_factors').where('account_id', accountId);
    return state === 'in-use' ? rows.whereNotNull('confirmed_at') : rows.whereNull('confirmed_at');
  };
  const codes = (accountId: string) => database('recovery_codes').where('account_id', accountId);
  return {
    findTotp: async (accountId, state) => {
      const row: Row | undefined = await totps(accountId, state).first('*');
      if (row === undefined) return null;
      const { id, label, sealed, created_at: createdAt, last_used_at: lastUsedAt } = row;
      return { id, label, sealed, createdAt, lastUsedAt };
    },
    insertTotp: async ({ id, accountId, label, sealed, createdAt }) => {
      // Of two at once the second one sees the first.
      await database.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`totp:${accountId}`]);
      await totps(accountId, 'waiting').delete();
      await database('totp_factors').insert({ id, account_id: accountId, label, sealed, created_at: createdAt });
    },
    confirmTotp: async (accountId, id, { step, at }) => {
      await totps(accountId, 'in-use').delete();
      const confirmed = await totps(accountId, 'waiting')
        .where('id', id)
        .update({ confirmed_at: at, last_step: step, last_used_at: at });
      return confirmed === 1;
    },
    useTotp: async (id, { step, at }) => {
      const used = await database('totp_factors')
        .where('id', id)
        .where('last_step', '<', step)
        .update({ last_step: step, last_used_at: at });
      return used === 1;
    },
    removeTotp: async (accountId) => {
      await totps(accountId, 'waiting').delete();
      return (await totps(accountId, 'in-use').delete()) === 1;
    },
    countRecoveryCodes: async (accountId) => {
      const row = await codes(accountId).whereNull('used_at').count({ left: '*' }).first();
      return Number(row?.left ?? 0);
    },
    replaceRecoveryCodes: async (accountId, hashes, at) => {
      await codes(accountId).delete();
      if (hashes.length === 0) return;
      const rows = hashes.map((hash) => ({ account_id: accountId, code_sha256: hash, created_at: at }));
      await database('recovery_codes').insert(rows);
    },
    useRecoveryCode: async (accountId, hash, at) =>
      (await codes(accountId).where('code_sha256', hash).whereNull('used_at').update({ used_at: at })) === 1,
  };
}
