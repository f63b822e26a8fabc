import { createHash } from 'node:crypto';
import { RegistryRefusal } from '../errors.ts';
import type { AccountPorts, AccountStores } from './account-ports.ts';
import type { CodePurpose, StoredCode } from './code-store.ts';

const MINUTE_MS = 60_000;
const LIFE_MS: Record<CodePurpose, number> = { 'verify-email': 24 * 60 * MINUTE_MS, 'reset-password': 30 * MINUTE_MS };
/** Whoever asks for more gets the same answer, and no mail. */
const HOURLY_MAX = 3;
const RANDOM_BYTES = 20;

const hashOf = (code: string): Buffer => createHash('sha256').update(code, 'latin1').digest();

/** A new code, or null where the account was sent enough within the hour. */
export async function issueCode(
  { codes }: AccountStores,
  { nowMs, randomBytes }: Pick<AccountPorts, 'nowMs' | 'randomBytes'>,
  { purpose, ...of }: StoredCode & { purpose: CodePurpose },
): Promise<string | null> {
  const createdAt = new Date(nowMs());
  const since = new Date(createdAt.getTime() - 60 * MINUTE_MS);
  if ((await codes.countSince(of.accountId, purpose, since)) >= HOURLY_MAX) return null;
  const code = randomBytes(RANDOM_BYTES).toString('base64url');
  const expiresAt = new Date(createdAt.getTime() + LIFE_MS[purpose]);
  await codes.insert({ ...of, purpose, sha256: hashOf(code), createdAt, expiresAt });
  return code;
}

/** Refuses with: code-invalid, before costly work is done for one. */
export async function requireGoodCode(
  { codes }: Pick<AccountStores, 'codes'>,
  code: string,
  purpose: CodePurpose,
  nowMs: number,
) {
  if (!(await codes.isGood(hashOf(code), purpose, new Date(nowMs)))) throw new RegistryRefusal('code-invalid');
}

/** Refuses with: code-invalid. */
export async function useCode({ codes }: AccountStores, code: string, purpose: CodePurpose, nowMs: number) {
  const found = await codes.use(hashOf(code), purpose, new Date(nowMs));
  if (found === null) throw new RegistryRefusal('code-invalid');
  return found;
}
