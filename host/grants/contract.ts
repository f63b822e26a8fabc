import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';

/** A granted capability that was not used for this long is worth a question. */
export const UNUSED_AFTER_DAYS = 30;

/** One capability that a plugin asks for, or has. */
export interface Grant {
  capability: string;
  /** What it allows, in a sentence. */
  purpose: string;
  /** Why the plugin wants it; null where the present release does not ask for it. */
  reason: string | null;
  /** Whether the plugin says that it works without. */
  optional: boolean;
  granted: boolean;
  grantedAt: string | null;
  /** When it was used last, to the minute or so; null for never since it was granted. */
  usedAt: string | null;
  /** Granted, and not used for 30 days. */
  unused: boolean;
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
