import type { OpenSession, Person, ProvenAccount } from '../contract.ts';

/** Where a session is used from. */
export interface Device {
  /** What its owner calls it; empty: made from the user agent. */
  name: string;
  userAgent: string;
  address: string;
}

/** What a session is proven by. The access token for a few minutes, the refresh token for one new pair. */
export interface SessionTokens {
  sessionId: string;
  accessToken: string;
  accessExpiresAt: string;
  refreshToken: string;
  refreshExpiresAt: string;
}

export interface SessionEntry {
  id: string;
  device: string;
  userAgent: string;
  address: string;
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
}

export interface Sessions {
  /** A new one, whatever the client showed before: nobody chooses the id of a session. Refuses with: login-outdated. */
  open(account: ProvenAccount, device: Device, options?: { factorAtMs?: number }): Promise<SessionTokens>;
  /**
   * A refresh token works once. The one before the newest, within ten seconds, gets the same successor: two tabs may ask at once.
   * Any other use of an old one ends the session. Refuses with: refresh-invalid.
   */
  refresh(refreshToken: string, device: Omit<Device, 'name'>): Promise<SessionTokens>;
  /** The session of an access token, by its signature alone: whether the session has ended, `find` knows. */
  readAccessToken(accessToken: string): Promise<{ sessionId: string; accountId: string; expiresAtMs: number } | null>;
  /** The session as it is now; null where it has ended. */
  find(sessionId: string): Promise<(OpenSession & { endsAtMs: number }) | null>;
  /** Open ones, the newest first. */
  list(person: Person): Promise<SessionEntry[]>;
  /** Refuses with: session-unknown. */
  end(person: Person, sessionId: string): Promise<void>;
  /** All of the person's; without the one in use where `others` is set. */
  endAll(person: Person, options: { others: boolean }): Promise<void>;
  /** Forgets sessions that ended a month ago, and keys that sign nothing any more. */
  sweep(): Promise<void>;
}
