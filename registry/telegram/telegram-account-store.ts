import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { ProvenAccount } from '../contract.ts';

/** Makes accounts for people whom Telegram brings: no password, no address of mail, and a name that says nothing. */
export const telegramAccountIn =
  ({ newId, newPersonKey }: { newId(): string; newPersonKey(accountId: string): Buffer }) =>
  (database: Knex) =>
  async (): Promise<ProvenAccount> => {
    const id = newId();
    // 64 random bits: nobody has the name.
    const username = `tg_${randomBytes(8).toString('hex')}`;
    await database('accounts').insert({ id, username, state: 'active', person_key: newPersonKey(id) });
    return { id, username, sessionEpoch: 0 };
  };
