import { RegistryRefusal } from '../errors.ts';
import type { Factors } from './contract.ts';
import type { FactorPorts } from './factor-ports.ts';
import { afterEnrolment, afterRemoval, newRecoveryCodes, requireFresh } from './factor-status.ts';
import { newTotpSecret, showTotp, totpStep } from './totp.ts';

/** How long a new secret waits for its first code. */
const WAITS_MS = 600_000;
const ISSUER = 'Gatehouse';

export const startTotp =
  (ports: FactorPorts): Factors['startTotp'] =>
  async (person, { label }) => {
    await requireFresh(ports, person);
    const secret = newTotpSecret(ports.randomBytes);
    const id = ports.newId();
    const createdAt = new Date(ports.nowMs());
    const totp = { id, accountId: person.account.id, label, sealed: ports.seal(id, secret), createdAt };
    await ports.transaction(({ factors }) => factors.insertTotp(totp));
    return { secret, ...(await showTotp(secret, { username: person.account.username, issuer: ISSUER })) };
  };

export const confirmTotp =
  (ports: FactorPorts): Factors['confirmTotp'] =>
  async (person, { code }, client) => {
    const { id: accountId } = person.account;
    const attempt = await ports.beginAttempt({ key: `account:${accountId}`, address: client.address, accountId });
    const at = new Date(ports.nowMs());
    const enrolled = await ports.transaction(async (stores) => {
      const waiting = await stores.factors.findTotp(accountId, 'waiting');
      if (waiting === null || at.getTime() - waiting.createdAt.getTime() >= WAITS_MS) {
        throw new RegistryRefusal('factor-unknown', 'Nothing waits for a code; begin again.');
      }
      const step = totpStep(ports.open(waiting.id, waiting.sealed), code, at.getTime());
      if (step === null) return null;
      if (!(await stores.factors.confirmTotp(accountId, waiting.id, { step, at }))) {
        throw new RegistryRefusal('factor-unknown', 'Another code has confirmed it already.');
      }
      await stores.audit({
        action: 'totp.enrol',
        actor: person,
        organisationId: null,
        subject: { kind: 'account', id: accountId },
      });
      return afterEnrolment(stores, person, at);
    });
    if (enrolled === null) {
      attempt.failed();
      throw new RegistryRefusal('factor-invalid');
    }
    await attempt.succeeded();
    ports.raise({ kind: 'factor-changed', accountId, facts: { change: 'totp-enrolled' } });
    return enrolled;
  };

export const removeTotp =
  (ports: FactorPorts): Factors['removeTotp'] =>
  async (person) => {
    await requireFresh(ports, person);
    const { id: accountId } = person.account;
    const status = await ports.transaction(async (stores) => {
      if (!(await stores.factors.removeTotp(accountId))) throw new RegistryRefusal('factor-unknown');
      await stores.audit({
        action: 'totp.remove',
        actor: person,
        organisationId: null,
        subject: { kind: 'account', id: accountId },
      });
      return afterRemoval(stores, person, new Date(ports.nowMs()));
    });
    ports.raise({ kind: 'factor-changed', accountId, facts: { change: 'totp-removed' } });
    return status;
  };

export const renewRecoveryCodes =
  (ports: FactorPorts): Factors['renewRecoveryCodes'] =>
  async (person) => {
    const { totp, passkeys } = await requireFresh(ports, person);
    if (totp === null && passkeys.length === 0) throw new RegistryRefusal('factor-unknown');
    const { id: accountId } = person.account;
    return ports.transaction(async (stores) => {
      await stores.audit({
        action: 'recovery-codes.renew',
        actor: person,
        organisationId: null,
        subject: { kind: 'account', id: accountId },
      });
      await stores.endSessions(accountId, 'factor-changed', person.sessionId);
      return newRecoveryCodes(stores, accountId, new Date(ports.nowMs()));
    });
  };
