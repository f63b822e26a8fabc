import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { v7 } from 'uuid';
import { createEnvelope } from '../../host/encryption/envelope.ts';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { createAccountStore } from '../accounts/account-store.ts';
import { countAttempts } from '../accounts/count-attempts.ts';
import { createThrottleStore } from '../accounts/throttle-store.ts';
import { createAuditIn } from '../audit/audit-store.ts';
import type { Person, ProvenAccount } from '../contract.ts';
import { endSessionsIn } from '../sessions/compose.ts';
import { createTelegram } from '../telegram/compose.ts';
import type { Telegram } from '../telegram/contract.ts';
import type { InitDataProof } from '../telegram/rules/check-init-data.ts';
import { BOT_TOKEN } from '../telegram/test-init-data.ts';
import { askedBy } from '../test-context.ts';
import { activeAccountIn } from './active-account-store.ts';
import { createFactors } from './compose.ts';
import type { Factors } from './contract.ts';
import type { FactorEvent } from './factor-ports.ts';

export const PLACE = { domain: 'gate.example', origins: ['https://gate.example'] };
export const CLIENT = { address: '192.0.2.1', userAgent: 'test/1' };

export interface TestFactors {
  factors: Factors;
  telegram: Telegram;
  database: TestDatabase;
  clock: { nowMs: number };
  events: FactorEvent[];
  /** An account with a password, and a session of it that was opened just now. */
  person(options?: { password?: boolean }): Promise<Person>;
  /** Who has just shown their password. */
  proven(person: Person): Promise<ProvenAccount>;
  /** One more session of somebody. */
  session(person: Person): Promise<Person>;
  /** The session as it is now. */
  again(person: Person): Promise<Person>;
  isOpen(person: Person): Promise<boolean>;
  /** Enrols an app; gives what it shows at any time. */
  withApp(person: Person): Promise<{ person: Person; codeAt: (atMs?: number) => string; recoveryCodes: string[] }>;
}

/** Factors and Telegram over a database of their own, with everything real but the clock and bcrypt. Close `database` when done. */
export async function testFactors({
  proof = { form: 'hmac-sha256', botToken: BOT_TOKEN },
}: {
  proof?: InitDataProof | null;
} = {}): Promise<TestFactors> {
  const database = await testDatabase();
  const { system: knex } = database;
  const clock = { nowMs: Date.parse('2030-01-01T00:00:00Z') };
  const nowMs = () => clock.nowMs;
  const events: FactorEvent[] = [];
  const attempts = countAttempts({
    throttles: createThrottleStore(knex),
    addressKey: (address) => address,
    nowMs,
    raise: () => {},
  });
  const auditIn = createAuditIn({ nowMs, newId: v7, origin: () => null });
  const activeAccount = activeAccountIn(knex);
  const insertAccount = async (knexOf = knex) => {
    const id = v7();
    const username = `p_${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
    const account = { id, username, state: 'active' as const, personKey: randomBytes(93), phoneSealed: null };
    await createAccountStore(knexOf).insert(account);
    return { id, username, sessionEpoch: 0 };
  };
  const ends = endSessionsIn(nowMs);
  const made = createFactors({
    database: database.scoped,
    system: knex,
    auditIn,
    endSessionsIn: ends,
    envelope: createEnvelope(new Map([[1, randomBytes(32)]])),
    beginAttempt: attempts.begin,
    activeAccount,
    passkeyPlace: () => PLACE,
    raise: (event) => events.push(event),
    nowMs,
    newId: v7,
  });
  const factors: Factors = { ...askedBy(made), waysInIn: made.waysInIn };
  const linking = createTelegram({
    database: database.scoped,
    system: knex,
    proof,
    bounds: { ageMsMax: 300_000, skewMsMax: 30_000 },
    auditIn,
    newAccountIn: (transaction) => () => insertAccount(transaction),
    activeAccount,
    waysInIn: made.waysInIn,
    requireFresh: made.requireFresh,
    endSessionsIn: ends,
    nowMs,
  });
  const telegram = askedBy(linking);
  const session: TestFactors['session'] = async ({ account }) => {
    const id = v7();
    const now = new Date(clock.nowMs);
    const ends = new Date(clock.nowMs + 30 * 24 * 3_600_000);
    const times = { created_at: now, last_seen_at: now, expires_at: ends };
    const from = { device: 'test', user_agent: CLIENT.userAgent, address: CLIENT.address };
    await knex('sessions').insert({ id, account_id: account.id, ...from, ...times });
    return { account, sessionId: id, factorAtMs: null };
  };
  const row = ({ sessionId }: Person) => knex('sessions').where('id', sessionId).first('*');
  const again: TestFactors['again'] = async (person) => ({
    ...person,
    factorAtMs: (await row(person)).factor_at?.getTime() ?? null,
  });
  return {
    factors,
    telegram,
    database,
    clock,
    events,
    proven: async ({ account }) => (await activeAccount(account.id))!,
    session,
    again,
    person: async ({ password = true } = {}) => {
      const { id, username } = await insertAccount();
      const account = { id, username };
      const row = { account_id: account.id, hash: `$2b$12$${'x'.repeat(53)}`, pepper_version: 1 };
      if (password) await knex('account_passwords').insert({ ...row, changed_at: new Date(clock.nowMs) });
      return session({ account, sessionId: '', factorAtMs: null });
    },
    isOpen: async (person) => (await row(person)).revoked_at === null,
    withApp: async (person) => {
      const { secret } = await factors.startTotp(person, { label: 'phone' });
      const totp = new TOTP({ secret: Secret.fromBase32(secret) });
      const codeAt = (atMs = clock.nowMs) => totp.generate({ timestamp: atMs });
      const { recoveryCodes } = await factors.confirmTotp(person, { code: codeAt() }, CLIENT);
      return { person: await again(person), codeAt, recoveryCodes: recoveryCodes! };
    },
  };
}
