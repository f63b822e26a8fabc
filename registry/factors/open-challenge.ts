import { createHash } from 'node:crypto';
import { RegistryRefusal } from '../errors.ts';
import type { ChallengePurpose, OpenChallenge } from './challenge-store.ts';
import type { FactorClient } from './contract.ts';
import type { FactorPorts } from './factor-ports.ts';

const LASTS_MS = 300_000;
const CHALLENGE_BYTES = 32;

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What a challenge is stored under. */
export const challengeHash = hashOf;
const clientHash = ({ userAgent }: FactorClient): Buffer => hashOf(`user-agent:${userAgent}`);

/** Makes a challenge: 32 random bytes, which a passkey signs and by which the client is known again. */
export async function openChallenge(
  { stores, nowMs, randomBytes }: FactorPorts,
  to: {
    purpose: ChallengePurpose;
    accountId?: string;
    sessionId?: string;
    sessionEpoch?: number;
    client?: FactorClient;
  },
): Promise<{ challenge: string; bytes: Buffer; expiresAt: string }> {
  const bytes = randomBytes(CHALLENGE_BYTES);
  const challenge = bytes.toString('base64url');
  const createdAt = new Date(nowMs());
  const expiresAt = new Date(createdAt.getTime() + LASTS_MS);
  await stores.challenges.insert({
    sha256: hashOf(challenge),
    purpose: to.purpose,
    accountId: to.accountId ?? null,
    sessionId: to.sessionId ?? null,
    sessionEpoch: to.sessionEpoch ?? 0,
    clientSha256: to.client ? clientHash(to.client) : null,
    createdAt,
    expiresAt,
  });
  return { challenge, bytes, expiresAt: expiresAt.toISOString() };
}

/** Counts an attempt to answer. Refuses with: challenge-invalid, whatever is wrong about it. */
export async function attemptChallenge(
  { stores, nowMs }: FactorPorts,
  given: { challenge: string; purpose: ChallengePurpose; sessionId?: string; client?: FactorClient },
): Promise<OpenChallenge> {
  const found = await stores.challenges.attempt(hashOf(given.challenge), given.purpose, new Date(nowMs()));
  const fits =
    found !== null &&
    found.sessionId === (given.sessionId ?? null) &&
    (found.clientSha256 === null || (given.client && found.clientSha256.equals(clientHash(given.client))));
  if (!fits) throw new RegistryRefusal('challenge-invalid');
  return found;
}
