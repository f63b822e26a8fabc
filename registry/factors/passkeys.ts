import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { readRegistration, registrationOptions } from './check-passkey.ts';
import type { Factors } from './contract.ts';
import type { FactorPorts } from './factor-ports.ts';
import { afterEnrolment, afterRemoval, requireFresh } from './factor-status.ts';
import { attemptChallenge, challengeHash, openChallenge } from './open-challenge.ts';

const PASSKEYS_MAX = 10;

export const startPasskey =
  (ports: FactorPorts): Factors['startPasskey'] =>
  async (person) => {
    await requireFresh(ports, person);
    const place = ports.passkeyPlace();
    if (place === null) throw new RegistryRefusal('passkeys-unavailable');
    const { account, sessionId } = person;
    const passkeys = await ports.stores.passkeys.list(account.id);
    if (passkeys.length >= PASSKEYS_MAX) throw new RegistryRefusal('passkeys-full');
    const purpose = 'passkey-registration';
    const { challenge, bytes, expiresAt } = await openChallenge(ports, { purpose, accountId: account.id, sessionId });
    const passkeyOptions = await registrationOptions({ place, challenge: bytes, account, passkeys });
    return { challenge, expiresAt, methods: ['passkey'], passkeyOptions };
  };

export const addPasskey =
  (ports: FactorPorts): Factors['addPasskey'] =>
  async (person, { challenge, label, passkey }) => {
    const { account, sessionId } = person;
    const place = ports.passkeyPlace();
    if (place === null) throw new RegistryRefusal('passkeys-unavailable');
    await attemptChallenge(ports, { challenge, purpose: 'passkey-registration', sessionId });
    const registered = await readRegistration({ place, challenge, passkey });
    if (registered === null) throw new RegistryRefusal('factor-invalid');
    const createdAt = new Date(ports.nowMs());
    const id = ports.newId();
    const enrolled = await ports.transaction(async (stores) => {
      if (!(await stores.challenges.take(challengeHash(challenge)))) throw new RegistryRefusal('challenge-invalid');
      // Also the lock under which passkeys are counted.
      const { passkeys } = await stores.waysIn(account.id);
      if (passkeys >= PASSKEYS_MAX) throw new RegistryRefusal('passkeys-full');
      const isNew = await stores.passkeys.insert({ id, accountId: account.id, label, createdAt, ...registered });
      if (!isNew) throw new RegistryRefusal('passkey-taken');
      await stores.audit({
        action: 'passkey.enrol',
        actor: person,
        organisationId: null,
        subject: { kind: 'passkey', id },
      });
      return afterEnrolment(stores, person, createdAt);
    });
    ports.raise({ kind: 'factor-changed', accountId: account.id, facts: { change: 'passkey-enrolled' } });
    return enrolled;
  };

export const removePasskey =
  (ports: FactorPorts): Factors['removePasskey'] =>
  async (person, passkeyId) => {
    await requireFresh(ports, person);
    const { id: accountId } = person.account;
    const status = await ports.transaction(async (stores) => {
      const { password, telegram, passkeys } = await stores.waysIn(accountId);
      if (!isUuid(passkeyId) || !(await stores.passkeys.remove(accountId, passkeyId)))
        throw new RegistryRefusal('factor-unknown');
      if (!password && !telegram && passkeys === 1) throw new RegistryRefusal('last-way-in');
      await stores.audit({
        action: 'passkey.remove',
        actor: person,
        organisationId: null,
        subject: { kind: 'passkey', id: passkeyId },
      });
      return afterRemoval(stores, person, new Date(ports.nowMs()));
    });
    ports.raise({ kind: 'factor-changed', accountId, facts: { change: 'passkey-removed' } });
    return status;
  };
