import { RegistryRefusal } from '../errors.ts';
import { storedText } from '../rules/stored-text.ts';
import type { Device, Sessions, SessionTokens } from './contract.ts';
import { firstRefreshToken, isRefreshToken, refreshTokenHash, successorOf } from './refresh-tokens.ts';
import type { SessionPorts, SessionStores } from './session-ports.ts';
import type { StoredRefreshToken, StoredSession } from './session-store.ts';

const DAY_MS = 24 * 3_600_000;
/** Whoever is away for longer logs in again. */
export const REFRESH_TOKEN_MS = 30 * DAY_MS;
/** And so does everybody, once in a while. */
export const SESSION_MS = 90 * DAY_MS;
/** Two tabs, or a client that lost the answer. */
export const SUCCESSOR_AGAIN_MS = 10_000;

/** With the session's row, its first refresh token and its entry in the trail in one transaction. */
export const openSession =
  (ports: SessionPorts): Sessions['open'] =>
  async (account, device, { factorAtMs } = {}) => {
    const now = new Date(ports.nowMs());
    const session: StoredSession = {
      id: ports.newId(),
      accountId: account.id,
      device: deviceName(device),
      ...placeOf(device),
      factorAt: factorAtMs === undefined ? null : new Date(factorAtMs),
      createdAt: now,
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_MS),
      revokedAt: null,
    };
    const refreshToken = firstRefreshToken(ports.randomBytes);
    const expiresAt = await ports.transaction(async (stores) => {
      if ((await stores.sessions.lockEpoch(account.id)) !== account.sessionEpoch)
        throw new RegistryRefusal('login-outdated');
      await stores.sessions.insert(session);
      const actor = { account: { id: account.id }, sessionId: session.id };
      const subject = { kind: 'session', id: session.id };
      await stores.audit({ action: 'session.open', actor, organisationId: null, subject });
      return storeToken(stores, session, refreshToken, now);
    });
    return tokensOf(ports, session, refreshToken, expiresAt);
  };

type Refreshed = { session: StoredSession; token: string; expiresAt: Date } | { reusedBy: string } | null;

/** Refuses with: refresh-invalid. */
export const refreshSession =
  (ports: SessionPorts): Sessions['refresh'] =>
  async (refreshToken, device) => {
    const outcome = isRefreshToken(refreshToken) ? await rotate(ports, refreshToken, device) : null;
    if (outcome === null) throw new RegistryRefusal('refresh-invalid');
    if ('reusedBy' in outcome) {
      ports.raise({ kind: 'refresh-reused', accountId: outcome.reusedBy, facts: { address: device.address } });
      throw new RegistryRefusal('refresh-invalid');
    }
    return tokensOf(ports, outcome.session, outcome.token, outcome.expiresAt);
  };

/** That the session ends by a reuse is kept, although it is refused: so nothing is thrown in here. */
const rotate = (ports: SessionPorts, refreshToken: string, device: Omit<Device, 'name'>): Promise<Refreshed> =>
  ports.transaction(async (stores) => {
    const now = new Date(ports.nowMs());
    const found = await stores.sessions.lockToken(refreshTokenHash(refreshToken));
    if (found === null) return null;
    const { token, session } = found;
    if (session.revokedAt !== null || session.expiresAt <= now) return null;
    const successor = successorOf(refreshToken, session.id, ports.successorKey);
    if (token.usedAt !== null) return again(stores, session, token, successor, now);
    if (token.expiresAt <= now) return null;
    if ((await stores.sessions.findOpen(session.id, now)) === null) return null;
    await stores.sessions.useToken(token.sha256, refreshTokenHash(successor), now);
    await stores.sessions.removeExpiredTokens(session.id, now);
    await stores.sessions.seen(session.id, { ...placeOf(device), lastSeenAt: now });
    return { session, token: successor, expiresAt: await storeToken(stores, session, successor, now) };
  });

/** A used token: its successor once more where that is the newest one still, and it is not long ago; else the session ends. */
async function again(
  stores: SessionStores,
  session: StoredSession,
  token: StoredRefreshToken,
  successor: string,
  now: Date,
): Promise<Refreshed> {
  const next = await stores.sessions.findToken(token.replacedBy!);
  const soon = now.getTime() - token.usedAt!.getTime() <= SUCCESSOR_AGAIN_MS;
  const derived = next !== null && refreshTokenHash(successor).equals(next.sha256);
  if (soon && derived && next.usedAt === null) return { session, token: successor, expiresAt: next.expiresAt };
  const { accountId, id } = session;
  await stores.sessions.end({ accountId, id }, 'refresh-reused', now);
  const actor = { via: 'anonymous', accountId } as const;
  const subject = { kind: 'session', id };
  await stores.audit({ action: 'session.reuse', actor, organisationId: null, subject, outcome: 'refused' });
  return { reusedBy: accountId };
}

async function storeToken(
  { sessions }: SessionStores,
  session: StoredSession,
  token: string,
  now: Date,
): Promise<Date> {
  const expiresAt = new Date(Math.min(now.getTime() + REFRESH_TOKEN_MS, session.expiresAt.getTime()));
  const sha256 = refreshTokenHash(token);
  const fresh = { sha256, sessionId: session.id, createdAt: now, expiresAt, usedAt: null, replacedBy: null };
  await sessions.insertToken(fresh);
  return expiresAt;
}

async function tokensOf(
  { accessTokens }: SessionPorts,
  { id, accountId }: Pick<StoredSession, 'id' | 'accountId'>,
  refreshToken: string,
  refreshExpiresAt: Date,
): Promise<SessionTokens> {
  const { token, expiresAtMs } = await accessTokens.issue({ accountId, sessionId: id });
  return {
    sessionId: id,
    accessToken: token,
    accessExpiresAt: new Date(expiresAtMs).toISOString(),
    refreshToken,
    refreshExpiresAt: refreshExpiresAt.toISOString(),
  };
}

const placeOf = ({ userAgent, address }: Omit<Device, 'name'>) => ({
  userAgent: storedText(userAgent).slice(0, 500),
  address: address.slice(0, 100),
});

const deviceName = ({ name, userAgent }: Device): string =>
  storedText(name).trim().slice(0, 200) || storedText(userAgent).split(/[/\s]/)[0]!.slice(0, 100) || 'unknown';
