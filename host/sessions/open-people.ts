import { hkdfSync } from 'node:crypto';
import type { Knex } from 'knex';
import {
  type Accounts,
  type AuditOrigin,
  createAccounts,
  createAuditIn,
  createOrganisationStore,
  createOrganisations,
  createPasswordHasher,
  createSessions,
  endSessionsIn,
  type FactorEvent,
  normalEmail,
  type OpenSession,
  type Organisations,
  type PersonVault,
  type SecurityEvent,
  type Sessions,
} from '../../registry/index.ts';
import { changeAwareCache } from '../change-aware-cache.ts';
import type { Config } from '../config.ts';
import { contextOf, inContext } from '../database-context.ts';
import { checkPeppers } from '../encryption/check-peppers.ts';
import type { Envelope } from '../encryption/envelope.ts';
import { loadKeys, PEPPER } from '../encryption/load-keys.ts';
import { createPersonVault } from '../encryption/person-vault.ts';
import { openFactors } from '../factors/open-factors.ts';
import type { FindSession } from '../http/authenticate.ts';
import type { Log } from '../http/log.ts';
import { openMail, type SendMail } from '../mail/open-mail.ts';
import { tellPeople } from '../mail/tell-people.ts';
import { invitationMailIn } from '../organisations/invitation-mail.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import { every } from '../repeat-work.ts';
import type { AccountRoutePorts } from '../routes/accounts.ts';
import type { FactorLoginPorts } from '../routes/factor-logins.ts';
import type { FactorRoutePorts } from '../routes/factors.ts';
import type { MailboxPorts } from '../routes/mailbox.ts';
import type { SessionRoutePorts } from '../routes/sessions.ts';
import type { TelegramRoutePorts } from '../routes/telegram.ts';

const SESSION_KEEP_MS = 60_000;
const MAIL_CLOSE_MS = 5_000;
const MAIL_INTERVAL_MS = 1_000;
const SWEEP_INTERVAL_MS = 60_000;

/** What a test makes cheap, or looks at. */
export interface PeopleOptions {
  /** Lower only in tests: bcrypt is slow by intention. */
  bcryptCost?: number;
  /** Hears of every run of bcrypt. */
  onPasswordWork?: () => void;
  /** Delivers mail instead of a server. */
  send?: SendMail;
}

export interface PeoplePorts extends PeopleOptions {
  /** For people who act. */
  scoped: Knex;
  /** For who is not known yet: before a login, nobody is anybody. */
  system: Knex;
  envelope: Envelope;
  /** Of keys that are not configured; null where they must be. */
  folder: string | null;
  config: Pick<Config, 'passwordPepper' | 'publicUrl' | 'mail' | 'telegram'>;
  /** Tells whoever is responsible; never waits. */
  raise(event: SecurityEvent | FactorEvent): void;
  /** The request that is being answered. */
  origin: () => AuditOrigin | null;
  log: Log;
  nowMs: () => number;
  newId: () => string;
}

/** People on this host: accounts, sessions, organisations, and the mail that they get. */
export interface People {
  accounts: Accounts;
  sessions: Sessions;
  organisations: Organisations;
  vault: PersonVault;
  /** Sessions in memory, to be forgotten with every change. */
  cache: { clear(): void };
  /** Says where the host is reached, unless its configuration does. */
  servesAt(url: string): void;
  routes: Pick<AccountRoutePorts, 'accounts' | 'membershipsOf'> &
    Pick<SessionRoutePorts, 'sessions' | 'challengeFor'> &
    Pick<FactorRoutePorts & FactorLoginPorts & TelegramRoutePorts, 'factors' | 'telegram'> &
    MailboxPorts & { findSession: FindSession; organisations: Organisations };
  close(): Promise<void>;
}

/** Wires people up over one database, and begins to send mail and to forget what had its time. Refuses with: EncryptionKeyUnusable. */
export async function openPeople(ports: PeoplePorts): Promise<People> {
  const { scoped, system, envelope, folder, config, log, nowMs, newId, bcryptCost, onPasswordWork, send } = ports;
  const peppers = await loadKeys({ configured: config.passwordPepper, folder, kind: PEPPER });
  // For what must be found again for ever.
  const firstPepper = peppers.get(Math.min(...peppers.keys()))!;
  const vault = createPersonVault(envelope, firstPepper);
  for (const fault of await checkPeppers({ database: system, envelope, peppers })())
    log.error({}, `GATEHOUSE_PASSWORD_PEPPER is not that of before, so people cannot log in. ${fault}`);
  const auditIn = createAuditIn(ports);
  const raise = (event: SecurityEvent | FactorEvent) => {
    log.warn({ ...event }, 'security event');
    ports.raise(event);
  };
  const mail = openMail({ system, envelope, settings: config.mail, log, nowMs, newId, ...(send && { send }) });
  const { close: stopTelling } = await tellPeople({ system, vault, mailIn: mail.mailIn, log });
  const accounts = createAccounts({
    database: scoped,
    system,
    hasher: createPasswordHasher({
      peppers,
      ...(bcryptCost !== undefined && { cost: bcryptCost }),
      ...(onPasswordWork && { onWork: onPasswordWork }),
    }),
    vault,
    auditIn,
    mailIn: mail.mailIn,
    endSessionsIn: endSessionsIn(nowMs),
    addressKey,
    raise,
    onFailure: (error) => log.error({ err: error }, 'mail not written'),
    nowMs,
    newId,
  });
  const organisations = createOrganisations({
    database: scoped,
    system,
    actAs: ({ account }, membership, work) => inContext(contextOf({ account, ...membership }), work),
    organisationsIn: createOrganisationStore,
    auditIn,
    addressIndex: (address) => vault.index(normalEmail(address)),
    mailInvitationIn: invitationMailIn(mail.mailIn),
    nowMs,
    newId,
  });
  const place = (keyId: string) => ({ table: 'access_token_keys', row: keyId, column: 'sealed' });
  const sessions = createSessions({
    database: scoped,
    system,
    auditIn,
    seal: (keyId, text) => envelope.seal(place(keyId), text),
    open: (keyId, sealed) => envelope.open(place(keyId), sealed),
    issuer: config.publicUrl ?? 'gatehouse',
    successorKey: Buffer.from(hkdfSync('sha256', firstPepper, '', 'gatehouse refresh tokens', 32)),
    membershipsOf: organisations.membershipsForSession,
    raise,
    nowMs,
    newId,
  });
  const { cache, findSession } = rememberSessions(sessions, nowMs);
  let servedAt = 'http://localhost';
  const { sweep: sweepFactors, ...factors } = openFactors({
    scoped,
    system,
    envelope,
    accounts,
    vault,
    telegram: config.telegram,
    publicOrigin: () => config.publicUrl ?? servedAt,
    auditIn,
    raise,
    forgetSessions: cache.clear,
    nowMs,
    newId,
  });
  const sweep = async () => {
    await sweepFactors();
    await accounts.sweep();
    await sessions.sweep();
    await mail.sweep();
  };
  const stopSending = every(MAIL_INTERVAL_MS, mail.drain, log);
  const stopSweeping = every(SWEEP_INTERVAL_MS, sweep, log);
  return {
    accounts,
    sessions,
    organisations,
    vault,
    cache,
    servesAt: (url) => {
      servedAt = url;
    },
    routes: {
      ...forgetAfterChanges({ accounts, sessions }, cache.clear),
      organisations,
      membershipsOf: organisations.membershipsOf,
      ...factors,
      findSession,
      mailbox: mail.mailbox,
    },
    close: async () => {
      await accounts.settled();
      // A server of mail that says nothing any more would keep the host for minutes.
      const late = setTimeout(mail.close, MAIL_CLOSE_MS);
      await stopSending();
      clearTimeout(late);
      await stopSweeping();
      await stopTelling();
      mail.close();
    },
  };
}

/** The database tells all hosts of a session's end, this one too, but only a moment later: the next request must know it. */
function forgetAfterChanges({ accounts, sessions }: Pick<People, 'accounts' | 'sessions'>, forget: () => void) {
  const thenForget =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const result = await work(...args);
      forget();
      return result;
    };
  return {
    accounts: {
      ...accounts,
      changePassword: thenForget(accounts.changePassword),
      resetPassword: thenForget(accounts.resetPassword),
      deactivate: thenForget(accounts.deactivate),
    },
    sessions: { ...sessions, end: thenForget(sessions.end), endAll: thenForget(sessions.endAll) },
  };
}

/** Sessions in memory, until one changes or ends: a request costs the check of a signature. */
function rememberSessions(sessions: Sessions, nowMs: () => number) {
  const cache = changeAwareCache<(OpenSession & { endsAtMs: number }) | null>({
    load: sessions.find,
    ttlMs: (session) => (session === null ? 0 : Math.min(SESSION_KEEP_MS, session.endsAtMs - nowMs())),
  });
  const findSession: FindSession = async (accessToken) => {
    const claims = await sessions.readAccessToken(accessToken);
    const session = claims && (await cache.find(claims.sessionId));
    return session && session.person.account.id === claims.accountId ? session : null;
  };
  return { cache, findSession };
}
