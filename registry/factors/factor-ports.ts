import type { ProvenAccount } from '../contract.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { ChallengeStore } from './challenge-store.ts';
import type { PasskeyPlace, WaysInReader } from './contract.ts';
import type { FactorStore } from './factor-store.ts';
import type { PasskeyStore } from './passkey-store.ts';
import type { SessionFactorStore } from './session-factor-store.ts';

/** What a change of factors writes with, in one transaction. */
export interface FactorStores {
  factors: FactorStore;
  passkeys: PasskeyStore;
  challenges: ChallengeStore;
  sessions: SessionFactorStore;
  /** How the person can log in, with the account locked until the transaction ends. */
  waysIn: WaysInReader;
  /** Ends sessions of the account at once, on every host. */
  endSessions(accountId: string, reason: string, except?: string): Promise<void>;
  audit: Audit;
}

/** Counts an attempt before it is made. Refuses with: login-locked. */
export type BeginAttempt = (attempt: {
  key: string;
  address: string;
  accountId: string | null;
}) => Promise<{ failed(): void; succeeded(): Promise<void> }>;

/** Something that somebody responsible should hear of. */
export interface FactorEvent {
  kind: 'factor-changed' | 'recovery-code-used' | 'passkey-copied';
  accountId: string;
  facts: Record<string, string | number>;
}

export interface FactorPorts {
  /** Outside of a transaction. */
  stores: FactorStores;
  transaction<Result>(work: (stores: FactorStores) => Promise<Result>): Promise<Result>;
  /** Seals and opens the secret of an app; `id` is that of its row. */
  seal(id: string, secret: string): Buffer;
  open(id: string, sealed: Buffer): string;
  beginAttempt: BeginAttempt;
  /** Null for one that is unknown, or may not log in. */
  activeAccount(id: string): Promise<ProvenAccount | null>;
  /** Null where the host's address is no name. */
  passkeyPlace(): PasskeyPlace | null;
  raise(event: FactorEvent): void;
  nowMs(): number;
  newId(): string;
  randomBytes(count: number): Buffer;
}
