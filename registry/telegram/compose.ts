import type { Knex } from 'knex';
import type { Person, ProvenAccount } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { Telegram } from './contract.ts';
import { checkInitData, type InitDataBounds, type InitDataProof } from './rules/check-init-data.ts';
import { createTelegramStore, type TelegramIdentity, type TelegramStore } from './telegram-store.ts';

export interface TelegramPorts {
  /** For the person who acts. */
  database: Knex;
  /** For the platform itself: who logs in is not known yet. */
  system: Knex;
  /** Null: there is no bot. */
  proof: InitDataProof | null;
  bounds: InitDataBounds;
  auditIn(database: Knex): Audit;
  /** Makes an account without a password, in a transaction. */
  newAccountIn(database: Knex): () => Promise<ProvenAccount>;
  /** Null for one that may not log in. */
  activeAccount(id: string): Promise<ProvenAccount | null>;
  /** What else the person can log in by, with the account locked until the transaction ends. */
  waysInIn(database: Knex): (accountId: string) => Promise<{ password: boolean; passkeys: number }>;
  /** Lets pass who has just confirmed who they are. Refuses with: confirmation-needed. */
  requireFresh(person: Person): Promise<unknown>;
  /** Ends sessions of the account, in a transaction. */
  endSessionsIn(database: Knex): (accountId: string, reason: string, except?: string) => Promise<void>;
  nowMs(): number;
}

interface Stores {
  telegram: TelegramStore;
  audit: Audit;
}

export function createTelegram(ports: TelegramPorts): Telegram {
  const storesIn = (knex: Knex): Stores => ({ telegram: createTelegramStore(knex), audit: ports.auditIn(knex) });
  return {
    logIn: ({ initData }) => ports.system.transaction((knex) => logIn(ports, knex, storesIn(knex), initData)),
    status: async (accountId) => {
      const found = await createTelegramStore(ports.database).findByAccount(accountId);
      return found && shown(found);
    },
    link: async (person, { initData }) => {
      await ports.requireFresh(person);
      return ports.database.transaction((knex) => link(ports, knex, person, initData));
    },
    unlink: async (person) => {
      await ports.requireFresh(person);
      await ports.database.transaction((knex) => unlink(ports, knex, person));
    },
    sweep: () => createTelegramStore(ports.system).removeStale(new Date(ports.nowMs())),
  };
}

const shown = ({ linkedAt, lastUsedAt }: TelegramIdentity) => ({
  linkedAt: linkedAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});

/** Whose init data it is, used up. */
async function useInitData({ proof, bounds, nowMs }: TelegramPorts, store: TelegramStore, text: string) {
  if (proof === null) throw new RegistryRefusal('telegram-unavailable');
  const now = nowMs();
  const verdict = checkInitData(text, { proof, bounds, nowMs: now });
  if (!verdict.valid) {
    if (verdict.fault === 'malformed' || verdict.fault === 'forged') throw new RegistryRefusal('telegram-data-invalid');
    throw new RegistryRefusal('telegram-data-stale', undefined, { serverTime: new Date(now).toISOString() });
  }
  // Its entry is kept a little longer than the data is good for, so that no sweep opens a door.
  const keptUntil = new Date(verdict.staleAtMs + bounds.skewMsMax);
  if (!(await store.useInitData(verdict.fingerprint, keptUntil))) throw new RegistryRefusal('telegram-data-used');
  return verdict.telegramId;
}

async function logIn(ports: TelegramPorts, knex: Knex, { telegram, audit }: Stores, initData: string) {
  const telegramId = await useInitData(ports, telegram, initData);
  const now = new Date(ports.nowMs());
  // Of two first logins at once one makes the account; a lock by number lets the other wait and find it.
  await knex.raw('select pg_advisory_xact_lock(?, hashtext(?))', [LOCK_CLASS, telegramId]);
  const linked = await telegram.findById(telegramId);
  if (linked !== null) {
    const account = await ports.activeAccount(linked.accountId);
    // Deactivated by its owner or by the platform: what Telegram says does not bring it back.
    if (account === null) throw new RegistryRefusal('telegram-data-invalid', 'The linked account may not log in.');
    // Unlinked since it was found. From here on that waits, and then ends this login as it ends sessions.
    if (!(await telegram.noteUse(telegramId, now)))
      throw new RegistryRefusal('telegram-data-invalid', 'The account was just unlinked.');
    return { account, isNew: false };
  }
  const account = await ports.newAccountIn(knex)();
  if (!(await telegram.insert({ telegramId, accountId: account.id, linkedAt: now }))) {
    throw new RegistryRefusal('telegram-taken');
  }
  await telegram.noteUse(telegramId, now);
  await audit({
    action: 'account.register',
    actor: { via: 'anonymous', accountId: account.id },
    organisationId: null,
    subject: { kind: 'account', id: account.id },
    after: { by: 'telegram' },
  });
  return { account, isNew: true };
}

const LOCK_CLASS = 0x7467;

async function link(ports: TelegramPorts, knex: Knex, person: Person, initData: string) {
  const telegram = createTelegramStore(knex);
  const { id: accountId } = person.account;
  const telegramId = await useInitData(ports, telegram, initData);
  const before = await telegram.findByAccount(accountId);
  if (before?.telegramId === telegramId) return shown(before);
  const identity = { telegramId, accountId, linkedAt: new Date(ports.nowMs()) };
  if (before !== null || !(await telegram.insert(identity))) throw new RegistryRefusal('telegram-taken');
  await ports.auditIn(knex)({
    action: 'telegram.link',
    actor: person,
    organisationId: null,
    subject: { kind: 'account', id: accountId },
  });
  await ports.endSessionsIn(knex)(accountId, 'telegram-linked', person.sessionId);
  return shown({ ...identity, lastUsedAt: null });
}

async function unlink(ports: TelegramPorts, knex: Knex, person: Person): Promise<void> {
  const { id: accountId } = person.account;
  const { password, passkeys } = await ports.waysInIn(knex)(accountId);
  if (!(await createTelegramStore(knex).remove(accountId))) throw new RegistryRefusal('telegram-unlinked');
  if (!password && passkeys === 0) throw new RegistryRefusal('last-way-in');
  await ports.auditIn(knex)({
    action: 'telegram.unlink',
    actor: person,
    organisationId: null,
    subject: { kind: 'account', id: accountId },
  });
  await ports.endSessionsIn(knex)(accountId, 'telegram-unlinked', person.sessionId);
}
