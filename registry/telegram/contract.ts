import type { Person, ProvenAccount } from '../contract.ts';

/** People who come from a Telegram Mini App. Telegram says who they are; nothing of it is stored but its number of them. */
export interface Telegram {
  /**
   * The account that is linked to whoever opened the Mini App; where there is none, a new one without a password. Init data is good
   * for one use. Refuses with: telegram-unavailable, telegram-data-invalid, telegram-data-stale, telegram-data-used.
   */
  logIn(command: { initData: string; address: string }): Promise<{ account: ProvenAccount; isNew: boolean }>;
  /** When the account was linked; null where it is not. */
  status(accountId: string): Promise<{ linkedAt: string; lastUsedAt: string | null } | null>;
  /** Idempotent. Refuses with: as `logIn`, telegram-taken. */
  link(person: Person, command: { initData: string }): Promise<{ linkedAt: string; lastUsedAt: string | null }>;
  /** Refuses with: telegram-unlinked, last-way-in. */
  unlink(person: Person): Promise<void>;
  /** Forgets init data that is stale by now. */
  sweep(): Promise<void>;
}
