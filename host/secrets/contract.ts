import type { Principal } from '../../registry/index.ts';

/** One secret that a plugin declares, as the operator sees it. Values go in and never come out. */
export interface SecretStatus {
  name: string;
  /** What the publisher says it is for. */
  reason: string;
  optional: boolean;
  /** Where the host sends it; null for one that is not sent. */
  send: { hosts: string[]; header: string } | null;
  isSet: boolean;
  /** ISO 8601; null where it is not set. */
  updatedAt: string | null;
}

/** Secrets of an operator's installations. */
export interface Secrets {
  /** Those that the manifest declares, in its order, then those that are set although it does not any more. Refuses with: installation-unknown. */
  list(actor: Principal, installationId: string): Promise<SecretStatus[]>;
  /** Takes effect with the next request. Refuses with: installation-unknown, secret-unknown. */
  set(actor: Principal, installationId: string, name: string, value: string): Promise<SecretStatus>;
  /** Idempotent. Refuses with: installation-unknown. */
  remove(actor: Principal, installationId: string, name: string): Promise<void>;
}

/** What capabilities read: values by installation. */
export interface SecretReader {
  /** Names of those that are set, in order. */
  names(installationId: string): Promise<string[]>;
  /** Null where it is not set. */
  read(installationId: string, name: string): Promise<string | null>;
  /** The values of all that are set, for whoever must keep them out of what is stored. */
  values(installationId: string): Promise<string[]>;
}
