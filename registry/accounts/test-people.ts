import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { createEnvelope } from '../../host/encryption/envelope.ts';
import { createPersonVault } from '../../host/encryption/person-vault.ts';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { createAuditIn } from '../audit/audit-store.ts';
import type { Membership, ProvenAccount } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { activeAccountIn } from '../factors/active-account-store.ts';
import { createSessions, endSessionsIn } from '../sessions/compose.ts';
import type { Sessions } from '../sessions/contract.ts';
import { createAccounts } from './compose.ts';
import type { Accounts, Mail, SecurityEvent } from './contract.ts';
import { createPasswordHasher } from './hash-passwords.ts';

/** Accounts and sessions over a database of their own, with a clock that the test holds. Close `database` when done. */
export interface TestPeople {
  database: TestDatabase;
  accounts: Accounts;
  sessions: Sessions;
  clock: { nowMs: number };
  /** Everything that was written to somebody. */
  mails: Mail[];
  events: SecurityEvent[];
  /** Runs of bcrypt. `meanwhile` happens once, at the end of the next one. */
  work: { count: number; meanwhile?: () => Promise<unknown> };
  memberships: Membership[];
  /** Another process over the same database, that shares nothing in memory. */
  another(): Sessions;
  /** A verified account. */
  person(username: string, email?: string): Promise<{ id: string; username: string }>;
  /** Who has just shown their password. */
  proven(account: { id: string }): Promise<ProvenAccount>;
  codeFor(email: string): string;
}

export const PASSWORD = 'Correct-Horse-77-Battery';
/** Of version 1. Version 2 is newer. */
export const PEPPER = Buffer.alloc(32, 7);

export async function testPeople(): Promise<TestPeople> {
  const database = await testDatabase();
  const clock = { nowMs: Date.parse('2030-01-01T00:00:00Z') };
  const nowMs = () => clock.nowMs;
  const mails: Mail[] = [];
  const events: SecurityEvent[] = [];
  const memberships: Membership[] = [];
  const work: TestPeople['work'] = { count: 0 };
  const peppers = new Map([
    [1, PEPPER],
    [2, Buffer.alloc(32, 8)],
  ]);
  const hasher = createPasswordHasher({ peppers, cost: 4, onWork: () => void work.count++ });
  const inFlight = async <Result>(run: Promise<Result>): Promise<Result> => {
    const result = await run;
    const { meanwhile } = work;
    delete work.meanwhile;
    await meanwhile?.();
    return result;
  };
  const envelope = createEnvelope(new Map([[1, randomBytes(32)]]));
  const auditIn = createAuditIn({ nowMs, newId: v7, origin: () => null });
  const raise = (event: SecurityEvent) => void events.push(event);
  // As the host itself: people reach them over HTTP in host/e2e, where the policies hold.
  const accounts = createAccounts({
    database: database.system,
    system: database.system,
    hasher: {
      hash: (password) => inFlight(hasher.hash(password)),
      matches: (password, stored) => inFlight(hasher.matches(password, stored)),
      isOld: hasher.isOld,
    },
    vault: createPersonVault(envelope, PEPPER),
    auditIn,
    mailIn: () => async (mail) => void mails.push(mail),
    endSessionsIn: endSessionsIn(nowMs),
    addressKey: (address) => address,
    raise,
    onFailure: (error) => {
      throw error;
    },
    nowMs,
    newId: v7,
  });
  const place = (keyId: string) => ({ table: 'access_token_keys', row: keyId, column: 'sealed' });
  const another = () =>
    createSessions({
      database: database.system,
      system: database.system,
      auditIn,
      seal: (keyId, text) => envelope.seal(place(keyId), text),
      open: (keyId, sealed) => envelope.open(place(keyId), sealed),
      issuer: 'https://gate.example',
      successorKey: PEPPER,
      membershipsOf: async () => memberships,
      raise,
      nowMs,
      newId: v7,
    });
  const codeFor = (email: string) => /^ {4}(\S+)$/m.exec(mails.findLast(({ to }) => to === email)!.text)![1]!;
  return {
    database,
    accounts,
    sessions: another(),
    clock,
    mails,
    events,
    work,
    memberships,
    another,
    proven: async ({ id }) => (await activeAccountIn(database.system)(id))!,
    codeFor,
    person: async (username, email = `${username}@example.com`) => {
      await accounts.register({ username, password: PASSWORD, email });
      await accounts.settled();
      return accounts.verifyEmail(codeFor(email));
    },
  };
}

/** The refusal that `work` ends with; anything else fails the test. */
export async function refusalOf(work: Promise<unknown>): Promise<RegistryRefusal> {
  const outcome = await work.then(
    () => new Error('expected a refusal, but it succeeded'),
    (error) => error,
  );
  if (outcome instanceof RegistryRefusal) return outcome;
  throw outcome;
}
