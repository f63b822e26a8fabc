import type { Membership } from '../contract.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { AccessTokens } from './access-token.ts';
import type { SessionStore } from './session-store.ts';

/** What the use cases of this folder write with, in one transaction. */
export interface SessionStores {
  sessions: SessionStore;
  audit: Audit;
}

export interface SessionPorts {
  /** Outside of a transaction, for reading. */
  sessions: SessionStore;
  transaction<Result>(work: (stores: SessionStores) => Promise<Result>): Promise<Result>;
  accessTokens: AccessTokens;
  /** Which organisations a person may act for. */
  membershipsOf(accountId: string): Promise<Membership[]>;
  /** 32 bytes that successors of refresh tokens are made with. */
  successorKey: Buffer;
  nowMs: () => number;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
  raise(event: { kind: 'refresh-reused'; accountId: string; facts: Record<string, string> }): void;
}
