import type { Audit } from '../rules/audit-entry.ts';
import type { AccountStore } from './account-store.ts';
import type { CodeStore } from './code-store.ts';
import type { Attempts, Mail, PasswordHasher, PersonVault, SecurityEvent } from './contract.ts';
import type { ThrottleStore } from './throttle-store.ts';

/** What the use cases of this folder write with, in one transaction. */
export interface AccountStores {
  accounts: AccountStore;
  codes: CodeStore;
  throttles: ThrottleStore;
  audit: Audit;
  /** Puts mail into the outbox. */
  mail(mail: Mail): Promise<void>;
  /** Ends sessions at once, on every host. */
  endSessions(accountId: string, reason: string, except?: string): Promise<void>;
}

export interface AccountPorts {
  /** Outside of a transaction, for reading. */
  stores: Pick<AccountStores, 'accounts' | 'throttles' | 'codes'>;
  transaction<Result>(work: (stores: AccountStores) => Promise<Result>): Promise<Result>;
  hasher: PasswordHasher;
  vault: PersonVault;
  attempts: Attempts;
  nowMs: () => number;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
  /** Runs later what must not be felt in the time of an answer. */
  defer(work: () => Promise<void>): void;
  raise(event: SecurityEvent): void;
}
