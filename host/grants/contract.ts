import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';
import type { Grant } from './rules/describe-grants.ts';

export type { Grant } from './rules/describe-grants.ts';

/** What one installation did with one capability since the last time it was written. */
export interface CapabilitySum {
  installationId: string;
  capability: string;
  calls: number;
  /** Of the calls. */
  refused: number;
  /** Arguments and results. */
  bytes: number;
  wallMs: number;
  usedAtMs: number | null;
}

/** What the installations of the actor's organisation may do. */
export interface Grants {
  /** Refuses with: installation-unknown. */
  list(actor: Principal, installationId: string): Promise<{ items: Grant[] }>;
  /** Idempotent. Refuses with: installation-unknown, capability-undeclared. */
  grant(actor: Principal, installationId: string, capability: CapabilityName): Promise<{ items: Grant[] }>;
  /**
   * From now on every call of it is refused, also in invocations that run; one that the plugin needs may be taken away too. Idempotent.
   * Refuses with: installation-unknown.
   */
  revoke(actor: Principal, installationId: string, capability: CapabilityName): Promise<{ items: Grant[] }>;
}
