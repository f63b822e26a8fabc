import type { Knex } from 'knex';

export type CodePurpose = 'verify-email' | 'reset-password';

export interface StoredCode {
  accountId: string;
  emailId: string | null;
}

/** One-time codes, by hash. */
export interface CodeStore {
  insert(code: StoredCode & { sha256: Buffer; purpose: CodePurpose; createdAt: Date; expiresAt: Date }): Promise<void>;
  /** Of many that use one code at once, one gets it; null for all others, and for one that is expired or for something else. */
  use(sha256: Buffer, purpose: CodePurpose, now: Date): Promise<StoredCode | null>;
  /** Whether `use` would find it now. */
  isGood(sha256: Buffer, purpose: CodePurpose, now: Date): Promise<boolean>;
  /** Others that count for this account wait until the transaction ends. */
  countSince(accountId: string, purpose: CodePurpose, since: Date): Promise<number>;
  /** Takes back all that were not used. */
  removeUnused(accountId: string, purpose: CodePurpose): Promise<void>;
  removeExpired(before: Date): Promise<void>;
}

export function createCodeStore(database: Knex): CodeStore {
  const codes = () => database('account_codes');
  return {
    insert: async ({ sha256, accountId, emailId, purpose, createdAt, expiresAt }) =>
      void (await codes().insert({
        sha256,
        account_id: accountId,
        email_id: emailId,
        purpose,
        created_at: createdAt,
        expires_at: expiresAt,
      })),
    async use(sha256, purpose, now) {
      const [row] = await codes()
        .where({ sha256, purpose })
        .whereNull('used_at')
        .where('expires_at', '>', now)
        .update({ used_at: now })
        .returning(['account_id', 'email_id']);
      return row ? { accountId: row.account_id, emailId: row.email_id } : null;
    },
    isGood: async (sha256, purpose, now) =>
      (await codes().where({ sha256, purpose }).whereNull('used_at').where('expires_at', '>', now).first('sha256')) !==
      undefined,
    async countSince(accountId, purpose, since) {
      await database.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`codes:${accountId}`]);
      const row = await codes()
        .where({ account_id: accountId, purpose })
        .where('created_at', '>', since)
        .count({ total: '*' })
        .first();
      return Number(row!.total);
    },
    removeUnused: async (accountId, purpose) =>
      void (await codes().where({ account_id: accountId, purpose }).whereNull('used_at').delete()),
    removeExpired: async (before) => void (await codes().where('expires_at', '<', before).delete()),
  };
}
