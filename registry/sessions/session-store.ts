import type { Knex } from 'knex';
import { isUuid } from '../rules/ids.ts';

export interface StoredSession {
  id: string;
  accountId: string;
  device: string;
  userAgent: string;
  address: string;
  factorAt: Date | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
}
export interface StoredRefreshToken {
  sha256: Buffer;
  sessionId: string;
  expiresAt: Date;
  usedAt: Date | null;
  replacedBy: Buffer | null;
}

export interface SessionStore {
  /** How often all sessions of an active account were ended; null for others. Until the transaction ends it stays so. */
  lockEpoch(accountId: string): Promise<number | null>;
  insert(session: StoredSession): Promise<void>;
  /** With its owner's name; only of active accounts. */
  findOpen(id: string, now: Date): Promise<(StoredSession & { username: string }) | null>;
  list(accountId: string, now: Date): Promise<StoredSession[]>;
  seen(id: string, at: Pick<StoredSession, 'address' | 'userAgent' | 'lastSeenAt'>): Promise<void>;
  /** How many were open. Without `id` logins under way end as well. */
  end(where: { accountId: string; id?: string; except?: string }, reason: string, now: Date): Promise<number>;
  insertToken(token: StoredRefreshToken & { createdAt: Date }): Promise<void>;
  /** Locks the session of a refresh token until the transaction ends, so that its uses take turns. */
  lockToken(sha256: Buffer): Promise<{ token: StoredRefreshToken; session: StoredSession } | null>;
  findToken(sha256: Buffer): Promise<StoredRefreshToken | null>;
  useToken(sha256: Buffer, replacedBy: Buffer, now: Date): Promise<void>;
  /** Of one session: a long one would keep thousands that are refused anyhow. */
  removeExpiredTokens(sessionId: string, now: Date): Promise<void>;
  removeEnded(before: Date): Promise<void>;
}

interface SessionRow {
  id: string;
  account_id: string;
  device: string;
  user_agent: string;
  address: string;
  factor_at: Date | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_reason: string | null;
}

export function createSessionStore(database: Knex): SessionStore {
  const sessions = () => database<SessionRow>('sessions');
  const tokens = () => database('refresh_tokens');
  const findToken: SessionStore['findToken'] = async (sha256) => {
    const row = await tokens().where({ sha256 }).first();
    return row ? tokenOf(row) : null;
  };
  return {
    lockEpoch: async (id) => {
      const account = await database('accounts').where({ id, state: 'active' }).forShare().first('session_epoch');
      return account?.session_epoch ?? null;
    },
    insert: async (session) =>
      void (await database('sessions').insert({
        id: session.id,
        account_id: session.accountId,
        device: session.device,
        user_agent: session.userAgent,
        address: session.address,
        factor_at: session.factorAt,
        created_at: session.createdAt,
        last_seen_at: session.lastSeenAt,
        expires_at: session.expiresAt,
      })),
    async findOpen(id, now) {
      if (!isUuid(id)) return null;
      const row = await sessions()
        .join('accounts', 'accounts.id', 'sessions.account_id')
        .where('sessions.id', id)
        .where('accounts.state', 'active')
        .whereNull('sessions.revoked_at')
        .where('sessions.expires_at', '>', now)
        .first<SessionRow & { username: string }>('sessions.*', 'accounts.username');
      return row ? { ...sessionOf(row), username: row.username } : null;
    },
    list: async (accountId, now) =>
      (
        await sessions()
          .where({ account_id: accountId })
          .whereNull('revoked_at')
          .where('expires_at', '>', now)
          .orderBy('created_at', 'desc')
          .limit(1_000)
      ).map(sessionOf),
    seen: async (id, { address, userAgent, lastSeenAt }) =>
      void (await sessions().where({ id }).update({ address, user_agent: userAgent, last_seen_at: lastSeenAt })),
    async end({ accountId, id, except }, reason, now) {
      if (id === undefined) await database('accounts').where({ id: accountId }).increment('session_epoch');
      return sessions()
        .where({ account_id: accountId, ...(id === undefined ? {} : { id }) })
        .whereNull('revoked_at')
        .where('expires_at', '>', now)
        .modify((query) => {
          if (except !== undefined) query.whereNot({ id: except });
        })
        .update({ revoked_at: now, revoked_reason: reason });
    },
    insertToken: async ({ sha256, sessionId, createdAt, expiresAt }) =>
      void (await tokens().insert({ sha256, session_id: sessionId, created_at: createdAt, expires_at: expiresAt })),
    async lockToken(sha256) {
      const session = await sessions()
        .whereIn('id', tokens().where({ sha256 }).select('session_id'))
        .forUpdate()
        .first();
      // Read under the lock: the use before this one may just have ended.
      const token = session && (await findToken(sha256));
      return token ? { token, session: sessionOf(session) } : null;
    },
    findToken,
    useToken: async (sha256, replacedBy, now) =>
      void (await tokens().where({ sha256 }).update({ used_at: now, replaced_by: replacedBy })),
    removeExpiredTokens: async (sessionId, now) =>
      void (await tokens().where({ session_id: sessionId }).where('expires_at', '<=', now).delete()),
    removeEnded: async (before) =>
      void (await sessions()
        .where((ended) => ended.where('expires_at', '<', before).orWhere('revoked_at', '<', before))
        .delete()),
  };
}

const sessionOf = (row: SessionRow): StoredSession => ({
  id: row.id,
  accountId: row.account_id,
  device: row.device,
  userAgent: row.user_agent,
  address: row.address,
  factorAt: row.factor_at,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
});

const tokenOf = (row: {
  sha256: Buffer;
  session_id: string;
  expires_at: Date;
  used_at: Date | null;
  replaced_by: Buffer | null;
}): StoredRefreshToken => ({
  sha256: row.sha256,
  sessionId: row.session_id,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
  replacedBy: row.replaced_by,
});
