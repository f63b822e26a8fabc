import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';

/** Longer than any invocation runs: those that begin later know the new grants. */
const KEEP_MS = 120_000;

export interface GrantWatch {
  /** The grants of an installation that changed while invocations of it may run; undefined for all others. */
  grantsOf(installationId: string): readonly CapabilityName[] | undefined;
  /** An installation was changed, on whichever host: reads its grants. */
  changed(installationId: string): Promise<void>;
}

/** Makes changes of grants reach invocations that began before, so that what was taken away is gone at once. */
export function createGrantWatch(
  read: (installationId: string) => Promise<readonly CapabilityName[] | null>,
  nowMs: () => number,
): GrantWatch {
  const changed = new Map<string, { grants: readonly CapabilityName[]; atMs: number; look: number }>();
  let looks = 0;
  return {
    grantsOf: (id) => (changed.size === 0 ? undefined : changed.get(id)?.grants),
    changed: async (id) => {
      looks += 1;
      const look = looks;
      const grants = (await read(id)) ?? [];
      for (const [each, { atMs }] of changed) if (atMs + KEEP_MS <= nowMs()) changed.delete(each);
      // The look that began last knows the most, whichever is answered last.
      if ((changed.get(id)?.look ?? 0) < look) changed.set(id, { grants, atMs: nowMs(), look });
    },
  };
}
