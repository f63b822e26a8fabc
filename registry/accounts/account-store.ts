import type { Knex } from 'knex';
import { isUuid } from '../rules/ids.ts';
import type { PasswordHash } from './contract.ts';

export type AccountState = 'unverified' | 'active' | 'deactivated' | 'erased';

export interface StoredAccount {
  id: string;
  username: string;
  state: AccountState;
  /** Sealed; null once erased. */
  personKey: Buffer | null;
  phoneSealed: Buffer | null;
  sessionEpoch: number;
  createdAt: Date;
}

export interface StoredEmail {
  id: string;
  accountId: string;
  sealed: Buffer;
  index: Buffer;
  verifiedAt: Date | null;
}

export interface AccountStore {
  /** False where somebody has the username, in whatever case. */
  insert(account: Omit<StoredAccount, 'sessionEpoch' | 'createdAt'> & { createdAt?: Date }): Promise<boolean>;
  insertEmail(email: StoredEmail): Promise<void>;
  findById(id: string): Promise<StoredAccount | null>;
  findByUsername(username: string): Promise<StoredAccount | null>;
  /** The account that has verified an address. */
  findByEmail(index: Buffer): Promise<StoredAccount | null>;
  /** Accounts that wait for an address to be verified, newest first. */
  findWaiting(index: Buffer): Promise<{ account: StoredAccount; email: StoredEmail }[]>;
  /** Verified ones first. */
  listEmails(accountId: string): Promise<StoredEmail[]>;
  /** False where another account has verified the address meanwhile. */
  verifyEmail(email: StoredEmail, now: Date): Promise<boolean>;
  setState(id: string, state: AccountState): Promise<void>;
  /** Ends the API tokens for which they answer; says how many. */
  revokeTokens(accountId: string, now: Date): Promise<number>;
  findPassword(accountId: string): Promise<PasswordHash | null>;
  putPassword(accountId: string, hash: PasswordHash, now: Date): Promise<void>;
  /** False where the password is not `checked` any more: somebody has set another one meanwhile. */
  replacePassword(accountId: string, checked: PasswordHash, hash: PasswordHash, now: Date): Promise<boolean>;
  /** Forgets accounts that have waited since before then. */
  removeUnverified(before: Date): Promise<void>;
}

interface AccountRow {
  id: string;
  username: string;
  state: AccountState;
  person_key: Buffer | null;
  phone_sealed: Buffer | null;
  session_epoch: number;
  created_at: Date;
}
interface EmailRow {
  id: string;
  account_id: string;
  sealed: Buffer;
  address_index: Buffer;
  verified_at: Date | null;
}

export function createAccountStore(database: Knex): AccountStore {
  const accounts = () => database<AccountRow>('accounts');
  const emails = () => database<EmailRow>('account_emails');
  const one = (row: AccountRow | undefined) => (row ? accountOf(row) : null);
  return {
    async insert({ id, username, state, personKey, phoneSealed, createdAt }) {
      const rows = await database('accounts')
        .insert({
          id,
          username,
          state,
          person_key: personKey,
          phone_sealed: phoneSealed,
          ...(createdAt && { created_at: createdAt }),
        })
        .onConflict(database.raw('(lower(username))') as never)
        .ignore()
        .returning('id');
      return rows.length === 1;
    },
    async insertEmail({ id, accountId, sealed, index, verifiedAt }) {
      await database('account_emails').insert({
        id,
        account_id: accountId,
        sealed,
        address_index: index,
        verified_at: verifiedAt,
      });
    },
    findById: async (id) => (isUuid(id) ? one(await accounts().where({ id }).first()) : null),
    findByUsername: async (username) =>
      one(await accounts().whereRaw('lower(username) = lower(?)', [username]).first()),
    findByEmail: async (index) =>
      one(
        await accounts()
          .whereIn('id', emails().where({ address_index: index }).whereNotNull('verified_at').select('account_id'))
          .first(),
      ),
    async findWaiting(index) {
      const rows = await emails()
        .where({ address_index: index })
        .whereNull('verified_at')
        .orderBy('id', 'desc')
        .limit(10);
      const found = await accounts()
        .whereIn(
          'id',
          rows.map(({ account_id }) => account_id),
        )
        .where('state', 'unverified');
      return rows.flatMap((row) => {
        const account = found.find(({ id }) => id === row.account_id);
        return account ? [{ account: accountOf(account), email: emailOf(row) }] : [];
      });
    },
    listEmails: async (accountId) =>
      (await emails().where({ account_id: accountId }).orderByRaw('verified_at nulls last, id')).map(emailOf),
    async verifyEmail({ id, index }, now) {
      // Two accounts that verify one address at once take turns, and the second one sees the first.
      await database.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`email:${index.toString('hex')}`]);
      const taken = await emails()
        .where({ address_index: index })
        .whereNotNull('verified_at')
        .whereNot({ id })
        .first('id');
      if (taken) return false;
      await emails().where({ id }).whereNull('verified_at').update({ verified_at: now });
      return true;
    },
    setState: async (id, state) => void (await accounts().where({ id }).update({ state })),
    revokeTokens: (accountId, now) =>
      database('api_tokens').where({ account_id: accountId }).whereNull('revoked_at').update({ revoked_at: now }),
    async findPassword(accountId) {
      const row = await database('account_passwords').where('account_id', accountId).first();
      return row ? { hash: row.hash, pepperVersion: row.pepper_version } : null;
    },
    async putPassword(accountId, { hash, pepperVersion }, now) {
      await database('account_passwords')
        .insert({ account_id: accountId, hash, pepper_version: pepperVersion, changed_at: now })
        .onConflict('account_id')
        .merge(['hash', 'pepper_version', 'changed_at']);
    },
    replacePassword: async (accountId, checked, { hash, pepperVersion }, now) =>
      (await database('account_passwords')
        .where({ account_id: accountId, hash: checked.hash, pepper_version: checked.pepperVersion })
        .update({ hash, pepper_version: pepperVersion, changed_at: now })) === 1,
    removeUnverified: async (before) =>
      void (await accounts().where('state', 'unverified').where('created_at', '<', before).delete()),
  };
}

const accountOf = (row: AccountRow): StoredAccount => ({
  id: row.id,
  username: row.username,
  state: row.state,
  personKey: row.person_key,
  phoneSealed: row.phone_sealed,
  sessionEpoch: row.session_epoch,
  createdAt: row.created_at,
});

const emailOf = (row: EmailRow): StoredEmail => ({
  id: row.id,
  accountId: row.account_id,
  sealed: row.sealed,
  index: row.address_index,
  verifiedAt: row.verified_at,
});
