import type { Principal, Registry } from '../registry/index.ts';
import { changeAwareCache } from './change-aware-cache.ts';

const PRINCIPAL_KEEP_MS = 60_000;

/** Owners of tokens in memory, until a token changes or ends. Strangers' guesses are not kept. */
export const principalCache = ({ authenticate }: Registry, nowMs: () => number) =>
  changeAwareCache<Principal | null>({
    load: authenticate,
    ttlMs: (principal) =>
      principal === null
        ? 0
        : Math.min(PRINCIPAL_KEEP_MS, (principal.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs()),
  });
