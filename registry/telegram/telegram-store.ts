import type { Knex } from 'knex';

export interface TelegramIdentity {
  telegramId: string;
  accountId: string;
  linkedAt: Date;
  lastUsedAt: Date | null;
}

export interface TelegramStore {
  findById(telegramId: string): Promise<TelegramIdentity | null>;
  findByAccount(accountId: string): Promise<TelegramIdentity | null>;
  /** False where either of the two is linked already. */
  insert(identity: Omit<TelegramIdentity, 'lastUsedAt'>): Promise<boolean>;
  /** False where nobody is linked. */
  noteUse(telegramId: string, at: Date): Promise<boolean>;
  remove(accountId: string): Promise<boolean>;
  /** True for exactly one of all that bring the same init data. */
  useInitData(fingerprint: Buffer, expiresAt: Date): Promise<boolean>;
  removeStale(now: Date): Promise<void>;
}

export function createTelegramStore(database: Knex): TelegramStore {
  const find = async (where: object): Promise<TelegramIdentity | null> => {
    const row = await database('telegram_identities').where(where).first('*');
    if (!row) return null;
    const { telegram_id: telegramId, account_id: accountId, linked_at: linkedAt, last_used_at: lastUsedAt } = row;
    return { telegramId, accountId, linkedAt, lastUsedAt };
  };
  return {
    findById: (telegramId) => find({ telegram_id: telegramId }),
    findByAccount: (accountId) => find({ account_id: accountId }),
    insert: async ({ telegramId, accountId, linkedAt }) => {
      const inserted = await database('telegram_identities')
        .insert({ telegram_id: telegramId, account_id: accountId, linked_at: linkedAt })
        .onConflict()
        .ignore()
        .returning('telegram_id');
      return inserted.length === 1;
    },
    noteUse: async (telegramId, at) =>
      (await database('telegram_identities').where('telegram_id', telegramId).update({ last_used_at: at })) === 1,
    remove: async (accountId) => (await database('telegram_identities').where('account_id', accountId).delete()) === 1,
    useInitData: async (fingerprint, expiresAt) => {
      // Without asking for the row: whoever brings it may not read what others brought.
      const { rowCount } = await database.raw(
        'insert into telegram_init_data (sha256, expires_at) values (?, ?) on conflict do nothing',
        [fingerprint, expiresAt],
      );
      return rowCount === 1;
    },
    removeStale: async (now) => void (await database('telegram_init_data').where('expires_at', '<=', now).delete()),
  };
}
