import jwt from 'jsonwebtoken';
import type { AccessKeys } from './access-keys.ts';

export const ACCESS_TOKEN_MS = 10 * 60_000;
const ALGORITHM = 'ES256';
const AUDIENCE = 'gatehouse';
/** RFC 9068: a token of another kind, signed by the same key, is none of these. */
const TYPE = 'at+jwt';

export interface AccessClaims {
  accountId: string;
  sessionId: string;
  expiresAtMs: number;
}

export interface AccessTokens {
  issue(of: Omit<AccessClaims, 'expiresAtMs'>): Promise<{ token: string; expiresAtMs: number }>;
  /** Null for whatever is not a token of ours that is good now. */
  read(token: string): Promise<AccessClaims | null>;
}

/** JWTs (RFC 7519, RFC 9068), signed by ES256 and by nothing else, whatever their header says. `issuer` names this Gatehouse. */
export function createAccessTokens(ports: { keys: AccessKeys; issuer: string; nowMs: () => number }): AccessTokens {
  const { keys, issuer, nowMs } = ports;
  return {
    async issue({ accountId, sessionId }) {
      const { id, privateKey } = await keys.signing();
      const issuedAt = Math.floor(nowMs() / 1_000);
      const expiresAt = issuedAt + ACCESS_TOKEN_MS / 1_000;
      const claims = { iss: issuer, aud: AUDIENCE, sub: accountId, sid: sessionId, iat: issuedAt, exp: expiresAt };
      const header = { alg: ALGORITHM, typ: TYPE, kid: id } as const;
      const token = jwt.sign(claims, privateKey, { algorithm: ALGORITHM, header });
      return { token, expiresAtMs: expiresAt * 1_000 };
    },
    async read(token) {
      const kid = headerOf(token)?.kid;
      const key = typeof kid === 'string' ? await keys.verifying(kid) : null;
      if (key === null) return null;
      try {
        const { header, payload } = jwt.verify(token, key, {
          algorithms: [ALGORITHM],
          issuer,
          audience: AUDIENCE,
          clockTimestamp: Math.floor(nowMs() / 1_000),
          maxAge: ACCESS_TOKEN_MS / 1_000,
          complete: true,
        });
        if (header.typ !== TYPE || typeof payload === 'string') return null;
        const { sub, sid, exp } = payload;
        if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return null;
        return { accountId: sub, sessionId: sid, expiresAtMs: exp * 1_000 };
      } catch {
        // Whatever the library makes of what a stranger wrote: a signature of another length is a TypeError to it.
        return null;
      }
    },
  };
}

function headerOf(token: string): { kid?: unknown } | null {
  try {
    return jwt.decode(token, { complete: true })?.header ?? null;
  } catch {
    return null;
  }
}
