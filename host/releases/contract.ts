import type { Principal, Release } from '../../registry/index.ts';

/** Who runs a release, as of now. */
export interface Reach {
  release: { id: string; plugin: string; version: string; state: string };
  /** Installations that run it, canaries among them. */
  installations: number;
  /** Invocations of these installations within the last 24 hours. */
  invocationsPerDay: number;
  /** The most installations first; at most 100 of `operatorCount`. */
  operators: { slug: string; installations: number; enabled: number; following: number }[];
  operatorCount: number;
  /** The version to name as replacement; null where there is none. */
  suggestedReplacement: string | null;
  /** What to send along with a yank, so that nobody yanks what they have not looked at. */
  digest: string;
}

/** Decisions about releases that concern who runs them. Every refusal is a HostRefusal or RegistryRefusal. */
export interface Releases {
  /** An own release, or any for whoever reviews. Refuses with: release-unknown. */
  reach(actor: Principal, releaseId: string): Promise<Reach>;
  /**
   * `reach` is the digest of what was looked at; where more or others run it by now, that is refused. Tells the operators.
   * Idempotent: where it failed after the release was yanked, the next one tells whom it did not tell.
   * Refuses with: release-unknown, release-state-invalid, token-restricted, reach-changed.
   */
  yank(
    actor: Principal,
    releaseId: string,
    command: { reason: string; replacement?: string; reach: string },
  ): Promise<Release>;
}
