import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Audit } from '../rules/audit-entry.ts';
import { normalEmail } from './account-faults.ts';
import type { AccountPorts, AccountStores } from './account-ports.ts';
import { createAccountStore } from './account-store.ts';
import { changePassword, requestPasswordReset, resetPassword } from './change-password.ts';
import { accountProfile, deactivateAccount, reactivateAccount, unlockAccount } from './change-state.ts';
import { checkPassword } from './check-password.ts';
import { createCodeStore } from './code-store.ts';
import type { Accounts, Mail, PasswordHasher, PersonVault, SecurityEvent } from './contract.ts';
import { countAttempts, THROTTLE_KEEP_MS } from './count-attempts.ts';
import { emailPlace, phonePlace, registerAccount, resendVerification, verifyEmail } from './register-account.ts';
import { createThrottleStore } from './throttle-store.ts';

/** Registrations that nobody confirmed are forgotten after this. */
const UNVERIFIED_KEEP_MS = 7 * 24 * 3_600_000;
const CODE_KEEP_MS = 24 * 3_600_000;

export interface AccountsPorts {
  /** For the person, or for the admin, who acts. */
  database: Knex;
  /** For who is not known yet: whoever registers, logs in, or brings a code; and for counting who tries. */
  system: Knex;
  hasher: PasswordHasher;
  vault: PersonVault;
  auditIn(database: Knex): Audit;
  /** Puts mail into the outbox, within a transaction. */
  mailIn(database: Knex): (mail: Mail) => Promise<void>;
  /** Ends sessions of an account, within a transaction. */
  endSessionsIn(database: Knex): AccountStores['endSessions'];
  /** What counts as one address of a client. */
  addressKey(address: string): string;
  raise(event: SecurityEvent): void;
  /** What failed after its answer was given. */
  onFailure(error: unknown): void;
  nowMs(): number;
  newId(): string;
}

/** People: who they are, and how they prove it by a password. */
export function createAccounts(given: AccountsPorts): Accounts {
  const { database, system, hasher, vault, addressKey, raise, onFailure, nowMs, newId } = given;
  const throttles = createThrottleStore(system);
  const attempts = countAttempts({ throttles, addressKey, nowMs, raise });
  const deferred = new Set<Promise<void>>();
  const portsOn = (knex: Knex): AccountPorts => ({
    stores: { accounts: createAccountStore(knex), throttles, codes: createCodeStore(knex) },
    transaction: (work) =>
      knex.transaction((transaction) =>
        work({
          accounts: createAccountStore(transaction),
          codes: createCodeStore(transaction),
          // Who has tried what is nobody's, whoever forgives it.
          throttles,
          audit: given.auditIn(transaction),
          mail: given.mailIn(transaction),
          endSessions: given.endSessionsIn(transaction),
        }),
      ),
    hasher,
    vault,
    attempts,
    nowMs,
    newId,
    randomBytes,
    defer: (work) => {
      const done = Promise.resolve()
        .then(work)
        .catch(onFailure)
        .finally(() => deferred.delete(done));
      deferred.add(done);
    },
    raise,
  });
  const ports = portsOn(system);
  const acting = portsOn(database);
  const { stores } = ports;
  return {
    register: registerAccount(ports),
    verifyEmail: verifyEmail(ports),
    resendVerification: resendVerification(ports),
    requestPasswordReset: requestPasswordReset(ports),
    resetPassword: resetPassword(ports),
    checkPassword: checkPassword(ports),
    changePassword: changePassword(acting),
    deactivate: deactivateAccount(acting),
    reactivate: reactivateAccount(acting),
    unlock: unlockAccount(acting),
    profile: accountProfile(acting, { email: emailPlace, phone: phonePlace }),
    findByUsername: async (username, { anyState } = { anyState: false }) => {
      const found = await stores.accounts.findByUsername(username);
      return found && (anyState ? found.state !== 'erased' : found.state === 'active')
        ? { id: found.id, username: found.username }
        : null;
    },
    findByEmail: async (email) => {
      const found = await stores.accounts.findByEmail(vault.index(normalEmail(email)));
      return found?.state === 'active' ? { id: found.id, username: found.username } : null;
    },
    sweep: async () => {
      const now = nowMs();
      await stores.accounts.removeUnverified(new Date(now - UNVERIFIED_KEEP_MS));
      await stores.throttles.removeOld(new Date(now - THROTTLE_KEEP_MS));
      await stores.codes.removeExpired(new Date(now - CODE_KEEP_MS));
    },
    attempts,
    settled: async () => {
      while (deferred.size > 0) await Promise.all(deferred);
    },
  };
}
