import type { FindPrincipal } from '../http/authenticate.ts';

export interface LastUse {
  /** Finds principals as before, and remembers which tokens were used. Costs the hot path one write to a map. */
  find: FindPrincipal;
  /** Writes what was remembered, all at once; what could not be written is tried again with the next. */
  flush(): Promise<void>;
}

/** When tokens were last used, in memory until it is written. */
export function rememberUse(
  find: FindPrincipal,
  ports: { markTokensUsed(uses: ReadonlyMap<string, number>): Promise<void>; nowMs: () => number },
): LastUse {
  let uses = new Map<string, number>();
  const note = (principal: Awaited<ReturnType<FindPrincipal>>) => {
    if (principal !== null) uses.set(principal.credentialId, ports.nowMs());
    return principal;
  };
  return {
    find: (secret) => {
      const found = find(secret);
      return found instanceof Promise ? found.then(note) : note(found);
    },
    async flush() {
      if (uses.size === 0) return;
      const written = uses;
      uses = new Map();
      try {
        await ports.markTokensUsed(written);
      } catch (error) {
        uses = new Map([...written, ...uses]);
        throw error;
      }
    },
  };
}
