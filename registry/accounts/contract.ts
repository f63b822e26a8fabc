import type { Account, ProvenAccount } from '../contract.ts';

/** What somebody writes to have an account. Nothing of it has been checked. */
export interface Registration {
  username: string;
  password: string;
  email: string;
  /** A national number of the country, or an international one of it. */
  phone?: { country: string; number: string };
}

export interface AccountProfile extends Account {
  state: 'unverified' | 'active' | 'deactivated' | 'erased';
  /** The verified one, else the one that waits for it; null for people who log in otherwise. */
  email: { address: string; verified: boolean } | null;
  /** E.164. */
  phone: string | null;
  hasPassword: boolean;
  createdAt: string;
}

/** People and their passwords. Answers never say whether somebody has an account with an address of mail. */
export interface Accounts {
  /**
   * Sends a code to the address; the account can be used once it has come back. Whoever has the address already is told instead.
   * Refuses with: account-invalid (all faults at once), username-taken, login-busy.
   */
  register(command: Registration): Promise<Account>;
  /** Refuses with: code-invalid, for one that is unknown, used or expired. */
  verifyEmail(code: string): Promise<Account>;
  /** Sends the code again, to an account that waits for it. Says nothing, and needs no time that says something. */
  resendVerification(email: string): void;
  /** Sends a code that sets a new password. Says nothing, and needs no time that says something. */
  requestPasswordReset(email: string): void;
  /**
   * Ends every session, and lockouts of the password; what was guessed of second factors is not forgiven. Refuses with: code-invalid, account-invalid,
   * login-busy.
   */
  resetPassword(command: { code: string; password: string }): Promise<void>;
  /**
   * The account of a username or a verified address, and the password's; the same refusal, after the same work, for all that is
   * wrong. Refuses with: credentials-invalid, email-unverified (the password was right), login-locked, login-busy.
   */
  checkPassword(command: { login: string; password: string; address: string }): Promise<ProvenAccount>;
  /** Ends the other sessions. Refuses with: password-wrong, account-invalid, login-locked, login-busy. */
  changePassword(
    account: Account,
    command: { currentPassword: string; password: string; address: string; sessionId: string },
  ): Promise<void>;
  /** Ends every session; only the platform brings the account back. Refuses with: account-unknown. */
  deactivate(actor: AccountActor, accountId: string): Promise<void>;
  /** Refuses with: account-unknown. */
  reactivate(actor: AccountActor, accountId: string): Promise<void>;
  /** Ends lockouts of the account. Refuses with: account-unknown. */
  unlock(actor: AccountActor, accountId: string): Promise<void>;
  /** Refuses with: account-unknown. */
  profile(accountId: string): Promise<AccountProfile>;
  /** An active one, or any that has not been erased. */
  findByUsername(username: string, options?: { anyState: boolean }): Promise<Account | null>;
  /** The active account that has verified this address. */
  findByEmail(email: string): Promise<Account | null>;
  /** Forgets registrations that were never verified, codes and failed attempts that have had their time. */
  sweep(): Promise<void>;
  attempts: Attempts;
  /** Resolves when mail that was promised lies in the outbox. */
  settled(): Promise<void>;
}

/** Who changes an account: a principal, a person, or a part of the platform. */
export type AccountActor = Parameters<import('../rules/audit-entry.ts').Audit>[0]['actor'];

/** Attempts of what can be guessed. Counted before they are made, so that a hundred at once are a hundred. */
export interface Attempts {
  /**
   * Counts one attempt for each key: `account:<id>` for codes, and the address of the client. Refuses with: login-locked, with
   * `retryAfterMs`.
   */
  begin(attempt: { key: string; address: string; accountId: string | null }): Promise<BegunAttempt>;
}
export interface BegunAttempt {
  /** What is attempted: where it throws, such as for a host that is busy, nothing was, and the attempt does not count. */
  counts<Result>(attempt: () => Promise<Result>): Promise<Result>;
  /** Takes it back, with those of the key before it. */
  succeeded(): Promise<void>;
  /** Raises an alarm where it was the last for now. */
  failed(): void;
}

/** Something that somebody responsible should hear of. */
export interface SecurityEvent {
  kind: 'login-locked' | 'refresh-reused' | 'password-changed' | 'account-deactivated';
  accountId: string | null;
  facts: Record<string, string | number>;
}

/** Seals what says who somebody is, under a key of that person, and finds it again by a blind index. */
export interface PersonVault {
  /** A new key for a person, sealed as it is stored. */
  newKey(accountId: string): Buffer;
  seal(person: SealedPerson, place: PersonPlace, text: string): Buffer;
  open(person: SealedPerson, place: PersonPlace, sealed: Buffer): string;
  /** 32 bytes: the same for the same text. */
  index(text: string): Buffer;
}
export interface SealedPerson {
  id: string;
  personKey: Buffer;
}
export interface PersonPlace {
  table: string;
  row: string;
  column: string;
}

/** Work on passwords: slow by intention, outside of the event loop, and only so many at a time. Refuses with: login-busy. */
export interface PasswordHasher {
  hash(password: string): Promise<PasswordHash>;
  /** Without a stored hash it does the same work, and says false. */
  matches(password: string, stored: PasswordHash | null): Promise<boolean>;
  /** Whether a hash was made at a lower cost, or with an older pepper. */
  isOld(stored: PasswordHash): boolean;
}
export interface PasswordHash {
  hash: string;
  pepperVersion: number;
}

export interface Mail {
  accountId: string | null;
  to: string;
  subject: string;
  text: string;
}
