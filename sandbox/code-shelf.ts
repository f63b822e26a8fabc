import type { BundleScript } from './isolate/plugin-isolate.ts';

const BUNDLES_MAX = 32;
/** UTF-16 units of all of them. */
const UNITS_MAX = 8 * 1024 * 1024;

/**
 * Code that a lane has been sent, by digest, the least recently used first to go: the next installation of the same release
 * needs it neither sent nor compiled from the start. Whether it may still run is the host's to say, every time.
 */
export function createCodeShelf() {
  const kept = new Map<string, BundleScript>();
  let units = 0;
  return {
    get: (digest: string): BundleScript | undefined => kept.get(digest),
    /** What is kept under the digest, else what is given, which is kept from now on; it counts as used. */
    take(digest: string, given: BundleScript): BundleScript {
      const script = kept.get(digest) ?? given;
      if (!kept.delete(digest)) units += script.code.length;
      kept.set(digest, script);
      for (const [oldest, { code }] of kept) {
        if (oldest === digest || (kept.size <= BUNDLES_MAX && units <= UNITS_MAX)) break;
        kept.delete(oldest);
        units -= code.length;
      }
      return script;
    },
  };
}
