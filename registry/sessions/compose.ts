import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Audit } from '../rules/audit-entry.ts';
import { createAccessKeyStore } from './access-key-store.ts';
import { createAccessKeys, KEY_KEEP_MS } from './access-keys.ts';
import { createAccessTokens } from './access-token.ts';
import type { SessionEntry, Sessions } from './contract.ts';
import { endAllSessions, endSession } from './end-session.ts';
import { openSession, refreshSession } from './open-session.ts';
import type { SessionPorts } from './session-ports.ts';
import { createSessionStore, type StoredSession } from './session-store.ts';

/** Their owners may want to see where somebody was. */
const ENDED_KEEP_MS = 30 * 24 * 3_600_000;

export interface SessionsPorts
  extends Pick<SessionPorts, 'membershipsOf' | 'successorKey' | 'raise' | 'nowMs' | 'newId'> {
  /** For the person whose sessions they are. */
  database: Knex;
  /** For who is not known yet: a session is opened, refreshed and found by what proves it. */
  system: Knex;
  auditIn(database: Knex): Audit;
  /** Seals the private keys of access tokens. */
  seal(keyId: string, text: string): Buffer;
  open(keyId: string, sealed: Buffer): string;
  /** Names this Gatehouse in its tokens: the same for all hosts over one database. */
  issuer: string;
}

/** Sessions of people, and what they are proven by. */
export function createSessions(given: SessionsPorts): Sessions {
  const { system, nowMs, newId, issuer, auditIn } = given;
  const sessions = createSessionStore(system);
  const accessKeyStore = createAccessKeyStore(system);
  const keys = createAccessKeys({ keys: accessKeyStore, seal: given.seal, open: given.open, nowMs, newId });
  const accessTokens = createAccessTokens({ keys, issuer, nowMs });
  const portsOn = (database: Knex): SessionPorts => ({
    ...given,
    sessions: createSessionStore(database),
    transaction: (work) =>
      database.transaction((transaction) =>
        work({ sessions: createSessionStore(transaction), audit: auditIn(transaction) }),
      ),
    accessTokens,
    randomBytes,
  });
  const ports = portsOn(system);
  const own = portsOn(given.database);
  return {
    open: openSession(ports),
    refresh: refreshSession(ports),
    readAccessToken: accessTokens.read,
    async find(sessionId) {
      const found = await sessions.findOpen(sessionId, new Date(nowMs()));
      if (found === null) return null;
      const { id, accountId, username, factorAt, expiresAt } = found;
      const person = { account: { id: accountId, username }, sessionId: id, factorAtMs: factorAt?.getTime() ?? null };
      return { person, memberships: await given.membershipsOf(accountId), endsAtMs: expiresAt.getTime() };
    },
    list: async ({ account }) => (await own.sessions.list(account.id, new Date(nowMs()))).map(entryOf),
    end: endSession(own),
    endAll: endAllSessions(own),
    sweep: async () => {
      await sessions.removeEnded(new Date(nowMs() - ENDED_KEEP_MS));
      await accessKeyStore.removeOld(new Date(nowMs() - KEY_KEEP_MS));
    },
  };
}

/** Ends sessions of an account within somebody else's transaction. */
export const endSessionsIn =
  (nowMs: () => number) =>
  (database: Knex) =>
  async (accountId: string, reason: string, except?: string): Promise<void> => {
    const which = { accountId, ...(except === undefined ? {} : { except }) };
    await createSessionStore(database).end(which, reason, new Date(nowMs()));
  };

const entryOf = (session: StoredSession): SessionEntry => ({
  id: session.id,
  device: session.device,
  userAgent: session.userAgent,
  address: session.address,
  createdAt: session.createdAt.toISOString(),
  lastSeenAt: session.lastSeenAt.toISOString(),
  expiresAt: session.expiresAt.toISOString(),
});
