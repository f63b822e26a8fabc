/** When a publisher's key was good, in ISO 8601. */
export interface KeyTimes {
  revokedAt: string | null;
  /** Rotated: until then it signs beside its successor. */
  retiresAt: string | null;
  /** What came from then on was signed by somebody else. */
  compromisedSince: string | null;
}

/** When a key stopped signing for its publisher, in milliseconds since 1970; Infinity while it does. */
export const keyEndMs = ({ revokedAt, retiresAt, compromisedSince }: KeyTimes): number =>
  Math.min(...[revokedAt, retiresAt, compromisedSince].map((at) => (at === null ? Infinity : Date.parse(at))));

/**
 * Whether a key speaks for its publisher in what the registry received at `receivedAtMs`. When something was signed nobody but the
 * signer knows; when it came the registry knows by itself.
 */
export const keyCovers = (key: KeyTimes, receivedAtMs: number): boolean => receivedAtMs < keyEndMs(key);
