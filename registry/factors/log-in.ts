import type { ProvenAccount } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { OpenChallenge } from './challenge-store.ts';
import { assertionOptions } from './check-passkey.ts';
import { checkPasskey, checkProof, findPasskey } from './check-proof.ts';
import type { Factors } from './contract.ts';
import type { FactorPorts } from './factor-ports.ts';
import { attemptChallenge, challengeHash, openChallenge } from './open-challenge.ts';
import { offerChallenge, useProof } from './step-up.ts';

export const challengeFor =
  (ports: FactorPorts): Factors['challengeFor'] =>
  ({ id, sessionEpoch }, client) =>
    offerChallenge(ports, { purpose: 'login', accountId: id, sessionEpoch, client });

export const answerChallenge =
  (ports: FactorPorts): Factors['answerChallenge'] =>
  async ({ challenge, proof }, client) => {
    const begun = await attemptChallenge(ports, { challenge, purpose: 'login', client });
    const account = await requireSame(ports, begun);
    const check = () => checkProof(ports, { accountId: account.id, proof, challenge });
    await useProof(ports, { accountId: account.id, client, check }, async (stores, method) => {
      // The last to be written: of two right answers at once, one logs in and the other uses nothing up.
      if (!(await stores.challenges.take(challengeHash(challenge)))) throw new RegistryRefusal('challenge-invalid');
      await stores.audit({
        action: 'factor.confirm',
        actor: { via: 'anonymous', accountId: account.id },
        organisationId: null,
        subject: { kind: 'account', id: account.id },
        after: { method },
      });
    });
    return account;
  };

export const startPasskeyLogin =
  (ports: FactorPorts): Factors['startPasskeyLogin'] =>
  async () => {
    const place = ports.passkeyPlace();
    if (place === null) throw new RegistryRefusal('passkeys-unavailable');
    const { challenge, bytes, expiresAt } = await openChallenge(ports, { purpose: 'passkey-login' });
    const passkeyOptions = await assertionOptions({ place, challenge: bytes, passkeys: null });
    return { challenge, expiresAt, methods: ['passkey'], passkeyOptions };
  };

export const logInByPasskey =
  (ports: FactorPorts): Factors['logInByPasskey'] =>
  async ({ challenge, passkey }, client) => {
    await attemptChallenge(ports, { challenge, purpose: 'passkey-login' });
    const stored = await findPasskey(ports, passkey);
    // The same refusal as for a wrong signature: which passkeys are known here is nobody's business.
    const account = stored && (await ports.activeAccount(stored.accountId));
    if (!stored || !account) throw new RegistryRefusal('factor-invalid');
    const check = () => checkPasskey(ports, { challenge, passkey, stored, userVerified: true });
    await useProof(ports, { accountId: account.id, client, check }, async (stores) => {
      if (!(await stores.challenges.take(challengeHash(challenge)))) throw new RegistryRefusal('challenge-invalid');
    });
    return account;
  };

/** Deactivated between the password and the code, or all its sessions ended: the challenge is void. */
async function requireSame(
  ports: FactorPorts,
  { accountId, sessionEpoch }: Pick<OpenChallenge, 'accountId' | 'sessionEpoch'>,
): Promise<ProvenAccount> {
  const account = accountId === null ? null : await ports.activeAccount(accountId);
  if (account?.sessionEpoch !== sessionEpoch) throw new RegistryRefusal('challenge-invalid');
  return account;
}
