import { RegistryRefusal } from '../errors.ts';
import { assertionOptions } from './check-passkey.ts';
import { checkProof, type RightProof } from './check-proof.ts';
import type { FactorChallenge, FactorClient, FactorMethod, Factors } from './contract.ts';
import type { FactorPorts, FactorStores } from './factor-ports.ts';
import { attemptChallenge, challengeHash, openChallenge } from './open-challenge.ts';

/** What the account could show, with options for its passkeys; null where it has no factor. */
export async function offerChallenge(
  ports: FactorPorts,
  to: Parameters<typeof openChallenge>[1] & { accountId: string },
): Promise<FactorChallenge | null> {
  const { factors, passkeys } = ports.stores;
  const place = ports.passkeyPlace();
  const [totp, listed, codes] = await Promise.all([
    factors.findTotp(to.accountId, 'in-use'),
    passkeys.list(to.accountId),
    factors.countRecoveryCodes(to.accountId),
  ]);
  // A host that lost its name must not let people in without the passkeys that they have: recovery codes are left.
  if (totp === null && listed.length === 0) return null;
  const canPasskey = place !== null && listed.length > 0;
  const methods: FactorMethod[] = [];
  if (totp !== null) methods.push('totp');
  if (canPasskey) methods.push('passkey');
  if (codes > 0) methods.push('recovery-code');
  const { challenge, bytes, expiresAt } = await openChallenge(ports, to);
  const passkeyOptions = canPasskey ? await assertionOptions({ place, challenge: bytes, passkeys: listed }) : null;
  return { challenge, expiresAt, methods, passkeyOptions };
}

/** Uses a proof up, with `also` in the same transaction; counts what was wrong to the lockout. Refuses with: factor-invalid, login-locked. */
export async function useProof(
  ports: FactorPorts,
  { accountId, client, check }: { accountId: string; client: FactorClient; check: () => Promise<RightProof | null> },
  also: (stores: FactorStores, method: FactorMethod) => Promise<void>,
): Promise<void> {
  const attempt = await ports.beginAttempt({ key: `account:${accountId}`, address: client.address, accountId });
  const right = await check();
  const used =
    right !== null &&
    (await ports.transaction(async (stores) => {
      if (!(await right.use(stores))) return false;
      await also(stores, right.method);
      return true;
    }));
  if (!used) {
    attempt.failed();
    throw new RegistryRefusal('factor-invalid');
  }
  await attempt.succeeded();
  if (right.method === 'recovery-code') {
    const left = await ports.stores.factors.countRecoveryCodes(accountId);
    ports.raise({ kind: 'recovery-code-used', accountId, facts: { left } });
  }
}

export const startStepUp =
  (ports: FactorPorts): Factors['startStepUp'] =>
  async ({ account, sessionId }) => {
    const offered = await offerChallenge(ports, { purpose: 'step-up', accountId: account.id, sessionId });
    if (offered === null) throw new RegistryRefusal('factor-unknown');
    return offered;
  };

export const stepUp =
  (ports: FactorPorts): Factors['stepUp'] =>
  async (person, { challenge, proof }, client) => {
    const { account, sessionId } = person;
    if ('passkey' in proof) {
      if (challenge === undefined) throw new RegistryRefusal('challenge-invalid');
      await attemptChallenge(ports, { challenge, purpose: 'step-up', sessionId });
    }
    const at = new Date(ports.nowMs());
    const check = () => checkProof(ports, { accountId: account.id, proof, challenge });
    await useProof(ports, { accountId: account.id, client, check }, async (stores, method) => {
      if (method === 'passkey' && !(await stores.challenges.take(challengeHash(challenge!)))) {
        throw new RegistryRefusal('challenge-invalid');
      }
      await stores.sessions.setFactorAt(sessionId, at);
      await stores.audit({
        action: 'session.step-up',
        actor: person,
        organisationId: null,
        subject: { kind: 'session', id: sessionId },
        after: { method },
      });
    });
    return at.getTime();
  };
