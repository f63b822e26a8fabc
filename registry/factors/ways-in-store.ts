import type { Knex } from 'knex';
import type { WaysInReader } from './contract.ts';

/** Locks the account: of two that take away a way in at once, the second sees what the first has left. */
export const waysInStore =
  (database: Knex): WaysInReader =>
  async (accountId) => {
    await database('accounts').where('id', accountId).forUpdate().first('id');
    const count = async (table: string): Promise<number> =>
      Number((await database(table).where('account_id', accountId).count({ rows: '*' }).first())?.rows ?? 0);
    return {
      password: (await count('account_passwords')) > 0,
      telegram: (await count('telegram_identities')) > 0,
      passkeys: await count('passkeys'),
    };
  };
