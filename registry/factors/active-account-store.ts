import type { Knex } from 'knex';
import type { ProvenAccount } from '../contract.ts';
import { isUuid } from '../rules/ids.ts';

/** The account of an id where it may log in. */
export const activeAccountIn =
  (database: Knex) =>
  async (id: string): Promise<ProvenAccount | null> =>
    (isUuid(id) &&
      (await database('accounts')
        .where({ id, state: 'active' })
        .first('id', 'username', 'session_epoch as sessionEpoch'))) ||
    null;
