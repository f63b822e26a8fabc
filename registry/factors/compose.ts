import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Audit } from '../rules/audit-entry.ts';
import { createChallengeStore } from './challenge-store.ts';
import type { Factors } from './contract.ts';
import { confirmTotp, removeTotp, renewRecoveryCodes, startTotp } from './enrol-totp.ts';
import type { FactorPorts, FactorStores } from './factor-ports.ts';
import { readStatus, requireFresh } from './factor-status.ts';
import { createFactorStore } from './factor-store.ts';
import { answerChallenge, challengeFor, logInByPasskey, startPasskeyLogin } from './log-in.ts';
import { createPasskeyStore } from './passkey-store.ts';
import { addPasskey, removePasskey, startPasskey } from './passkeys.ts';
import { resetFactors } from './reset-factors.ts';
import { createSessionFactorStore } from './session-factor-store.ts';
import { startStepUp, stepUp } from './step-up.ts';
import { waysInStore } from './ways-in-store.ts';

export interface FactorsPorts
  extends Pick<FactorPorts, 'beginAttempt' | 'activeAccount' | 'passkeyPlace' | 'raise' | 'nowMs' | 'newId'> {
  /** For the person who acts. */
  database: Knex;
  /** For who logs in and is not known yet; and for an admin who takes away what no admin may see. */
  system: Knex;
  auditIn(database: Knex): Audit;
  endSessionsIn(database: Knex): FactorStores['endSessions'];
  envelope: {
    seal(place: SealedPlace, text: string): Buffer;
    open(place: SealedPlace, sealed: Buffer): string;
  };
}
interface SealedPlace {
  table: string;
  row: string;
  column: string;
}

/** Second factors of people: what they have, and how they show it. */
export function createFactors(given: FactorsPorts): Factors {
  const { database, system, auditIn, endSessionsIn, envelope, ...rest } = given;
  const placeOf = (id: string): SealedPlace => ({ table: 'totp_factors', row: id, column: 'sealed' });
  const storesIn = (knex: Knex): FactorStores => ({
    factors: createFactorStore(knex),
    passkeys: createPasskeyStore(knex),
    challenges: createChallengeStore(knex),
    sessions: createSessionFactorStore(knex),
    waysIn: waysInStore(knex),
    endSessions: endSessionsIn(knex),
    audit: auditIn(knex),
  });
  const portsIn = (knex: Knex): FactorPorts => ({
    ...rest,
    stores: storesIn(knex),
    transaction: (work) => knex.transaction((transaction) => work(storesIn(transaction))),
    seal: (id, secret) => envelope.seal(placeOf(id), secret),
    open: (id, sealed) => envelope.open(placeOf(id), sealed),
    randomBytes,
  });
  const own = portsIn(database);
  const anonymous = portsIn(system);
  return {
    status: (accountId) => readStatus(own.stores, accountId),
    startTotp: startTotp(own),
    confirmTotp: confirmTotp(own),
    removeTotp: removeTotp(own),
    renewRecoveryCodes: renewRecoveryCodes(own),
    startPasskey: startPasskey(own),
    addPasskey: addPasskey(own),
    removePasskey: removePasskey(own),
    startStepUp: startStepUp(own),
    stepUp: stepUp(own),
    challengeFor: challengeFor(anonymous),
    answerChallenge: answerChallenge(anonymous),
    startPasskeyLogin: startPasskeyLogin(anonymous),
    logInByPasskey: logInByPasskey(anonymous),
    reset: resetFactors(anonymous),
    requireFresh: (person) => requireFresh(own, person),
    waysInIn: waysInStore,
    sweep: () => anonymous.stores.challenges.removeExpired(new Date(given.nowMs())),
  };
}
