import type { Knex } from 'knex';

export type ChallengePurpose = 'login' | 'step-up' | 'passkey-registration' | 'passkey-login';
/** With one more than a person needs, guessing six digits of three steps succeeds once in 66,000 challenges. */
export const CHALLENGE_ATTEMPTS_MAX = 5;

export interface NewChallenge {
  sha256: Buffer;
  purpose: ChallengePurpose;
  accountId: string | null;
  sessionId: string | null;
  /** Of the account, when its login began. */
  sessionEpoch: number;
  clientSha256: Buffer | null;
  createdAt: Date;
  expiresAt: Date;
}

export interface OpenChallenge {
  accountId: string | null;
  sessionId: string | null;
  sessionEpoch: number;
  clientSha256: Buffer | null;
}

export interface ChallengeStore {
  insert(challenge: NewChallenge): Promise<void>;
  /** Counts one more attempt, before it is made. Null where it is gone, expired or worn out. */
  attempt(sha256: Buffer, purpose: ChallengePurpose, now: Date): Promise<OpenChallenge | null>;
  /** True for exactly one of all that take it. */
  take(sha256: Buffer): Promise<boolean>;
  removeOf(accountId: string): Promise<void>;
  removeExpired(now: Date): Promise<void>;
}

export function createChallengeStore(database: Knex): ChallengeStore {
  const one = (sha256: Buffer) => database('factor_challenges').where('sha256', sha256);
  return {
    insert: async ({ sha256, purpose, accountId, sessionId, sessionEpoch, clientSha256, createdAt, expiresAt }) => {
      await database('factor_challenges').insert({
        sha256,
        purpose,
        account_id: accountId,
        session_id: sessionId,
        session_epoch: sessionEpoch,
        client_sha256: clientSha256,
        created_at: createdAt,
        expires_at: expiresAt,
      });
    },
    attempt: async (sha256, purpose, now) => {
      const [row] = await one(sha256)
        .where({ purpose })
        .where('attempts', '<', CHALLENGE_ATTEMPTS_MAX)
        .where('expires_at', '>', now)
        .increment('attempts', 1)
        .returning(['account_id', 'session_id', 'session_epoch', 'client_sha256']);
      if (!row) return null;
      const { account_id: accountId, session_id: sessionId, session_epoch: sessionEpoch } = row;
      return { accountId, sessionId, sessionEpoch, clientSha256: row.client_sha256 };
    },
    take: async (sha256) => (await one(sha256).delete()) === 1,
    removeOf: async (accountId) => void (await database('factor_challenges').where('account_id', accountId).delete()),
    removeExpired: async (now) => void (await database('factor_challenges').where('expires_at', '<=', now).delete()),
  };
}
