import type { Principal, PublisherKey } from '../contract.ts';

/** What becomes of a publisher's keys. Every refusal is a RegistryRefusal. */
export interface KeyLife {
  /**
   * Registers a successor; the old key signs beside it for `overlapSeconds`, and what it signed stays good. Idempotent by the new key.
   * Refuses with: key-unknown, key-state-invalid, key-invalid, key-taken.
   */
  rotate(
    actor: Principal,
    keyId: string,
    command: { publicKeyPem: string; label: string; overlapSeconds: number },
  ): Promise<{ key: PublisherKey; successor: PublisherKey }>;
  /**
   * Nothing is signed with it any more. With `compromisedSince` (ISO 8601), what the registry received from then on is blocked: it is not
   * installed and stops running wherever it does. An own key, or any for whoever reviews. May be repeated with an earlier time.
   * Refuses with: key-unknown, key-state-invalid.
   */
  revoke(
    actor: Principal,
    keyId: string,
    command: { compromisedSince?: string },
  ): Promise<{ key: PublisherKey; blockedReleaseIds: string[] }>;
}
