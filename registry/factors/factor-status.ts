import { randomBytes } from 'node:crypto';
import type { Person } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isSteppedUp } from '../rules/second-factor.ts';
import type { FactorStatus } from './contract.ts';
import type { FactorPorts, FactorStores } from './factor-ports.ts';
import { shownPasskey } from './passkey-store.ts';
import { RECOVERY_CODE_BYTES, RECOVERY_CODES, recoveryCodeOf, recoveryHash } from './rules/recovery-code.ts';

type Reading = Pick<FactorStores, 'factors' | 'passkeys'>;

export async function readStatus({ factors, passkeys }: Reading, accountId: string): Promise<FactorStatus> {
  const totp = await factors.findTotp(accountId, 'in-use');
  return {
    totp: totp && {
      label: totp.label,
      createdAt: totp.createdAt.toISOString(),
      lastUsedAt: totp.lastUsedAt?.toISOString() ?? null,
    },
    passkeys: (await passkeys.list(accountId)).map(shownPasskey),
    recoveryCodesLeft: await factors.countRecoveryCodes(accountId),
  };
}

export const hasFactor = ({ totp, passkeys }: FactorStatus): boolean => totp !== null || passkeys.length > 0;

/**
 * Lets pass who has just shown what there is to show: a factor, or where there is none yet, the way they log in. A stolen session
 * alone can then neither add a factor nor take one away. Refuses with: confirmation-needed.
 */
export async function requireFresh({ stores, nowMs }: FactorPorts, { account, sessionId, factorAtMs }: Person) {
  const status = await readStatus(stores, account.id);
  if (hasFactor(status)) {
    if (!isSteppedUp(factorAtMs, nowMs())) throw new RegistryRefusal('confirmation-needed');
    return status;
  }
  const openedAt = await stores.sessions.openedAt(sessionId);
  if (openedAt === null || !isSteppedUp(openedAt.getTime(), nowMs())) {
    throw new RegistryRefusal('confirmation-needed', 'Log in again: this has to happen within ten minutes of a login.');
  }
  return status;
}

/** Ten codes for an account, of which only hashes are kept; those of before are void. */
export async function newRecoveryCodes({ factors }: Pick<FactorStores, 'factors'>, accountId: string, at: Date) {
  const codes = Array.from({ length: RECOVERY_CODES }, () => recoveryCodeOf(randomBytes(RECOVERY_CODE_BYTES)));
  const hashes = codes.map((code) => recoveryHash(accountId, code)!);
  await factors.replaceRecoveryCodes(accountId, hashes, at);
  return codes;
}

/** What follows from every new factor: codes where there are none, the session is confirmed, and every other one ends. */
export async function afterEnrolment(stores: FactorStores, { account, sessionId }: Person, at: Date) {
  const { recoveryCodesLeft } = await readStatus(stores, account.id);
  const recoveryCodes = recoveryCodesLeft === 0 ? await newRecoveryCodes(stores, account.id, at) : null;
  await stores.sessions.setFactorAt(sessionId, at);
  await stores.endSessions(account.id, 'factor-changed', sessionId);
  return { status: await readStatus(stores, account.id), recoveryCodes };
}

/** What follows from every one taken away. Without any left, codes are of no use and the session is as unconfirmed as others. */
export async function afterRemoval(stores: FactorStores, { account, sessionId }: Person, at: Date) {
  if (!hasFactor(await readStatus(stores, account.id))) {
    await stores.factors.replaceRecoveryCodes(account.id, [], at);
    await stores.sessions.setFactorAt(sessionId, null);
  }
  await stores.endSessions(account.id, 'factor-changed', sessionId);
  return readStatus(stores, account.id);
}
