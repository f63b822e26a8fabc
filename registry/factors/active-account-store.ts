import type { Knex } from 'knex';
import type { Account } from '../contract.ts';
import { isUuid } from '../rules/ids.ts';

/** The account of an id where it may log in. */
export const activeAccountIn =
  (database: Knex) =>
  async (id: string): Promise<Account | null> =>
    (isUuid(id) && (await database('accounts').where({ id, state: 'active' }).first('id', 'username'))) || null;
