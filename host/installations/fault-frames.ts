import { LRUCache } from 'lru-cache';
import type { Json, PluginFault } from '../../plugins-sdk/contract/index.ts';
import { mapStack, readSourceMap, type SourceMap } from '../../plugins-sdk/map-frames.ts';
import { RegistryRefusal } from '../../registry/index.ts';
import type { InstallationLogEntry } from './contract.ts';

/** Sum of the mappings in memory: those of two plugins of the largest size, or of some hundred usual ones. */
const MAPPINGS_UNITS_MAX = 2 * 1024 * 1024;
const DIGESTS_MAX = 1_000;
const STACKS_UNITS_MAX = 1024 * 1024;
/** Reading a map costs up to some 100 ms of the host's only thread: strangers must not have it done all the time. */
const READS_MAX = 10;
const WINDOW_MS = 10_000;

export interface FaultFramesPorts {
  /** The source map of a bundle, null where there is none. Refuses with RegistryRefusal where there never will be one. */
  loadSourceMap(bundleDigest: string): Promise<string | null>;
  nowMs(): number;
}

/** The entry with the frames of its fault in the publisher's own files. Never rejects. */
export type ShowFrames = <Entry extends Omit<InstallationLogEntry, 'id'>>(
  entry: Entry,
  bundleDigest: string,
) => Promise<Entry>;

/**
 * Maps faults on their way into the log, after their callers were answered. A fault keeps its frames in the bundle where no
 * map can be had: there is none, it is malformed or too large, the database is down, or 10 maps have been read within 10 s.
 */
export function createFaultFrames({ loadSourceMap, nowMs }: FaultFramesPorts): ShowFrames {
  const maps = new LRUCache<string, { map: SourceMap | null }>({
    max: DIGESTS_MAX,
    maxSize: MAPPINGS_UNITS_MAX,
    sizeCalculation: ({ map }) => 1 + (map?.weight ?? 0),
  });
  const stacks = new LRUCache<string, string>({
    maxSize: STACKS_UNITS_MAX,
    sizeCalculation: (mapped, key) => mapped.length + key.length,
  });
  let window = { endsAtMs: Number.NEGATIVE_INFINITY, reads: 0 };

  /** Null where it cannot be had now, which is not remembered. */
  const read = async (bundleDigest: string): Promise<{ map: SourceMap | null } | null> => {
    if (nowMs() >= window.endsAtMs) window = { endsAtMs: nowMs() + WINDOW_MS, reads: 0 };
    if (window.reads >= READS_MAX) return null;
    window.reads += 1;
    try {
      const json = await loadSourceMap(bundleDigest);
      return { map: json === null ? null : readSourceMap(json) };
    } catch (error) {
      if (error instanceof RegistryRefusal) return { map: null };
      // An outage: the log must not wait for the same answer again and again.
      window.reads = READS_MAX;
      return null;
    }
  };

  const show = async (stack: string, bundleDigest: string): Promise<string> => {
    const key = `${bundleDigest} ${stack}`;
    const known = stacks.get(key);
    if (known !== undefined) return known;
    const found = maps.get(bundleDigest) ?? (await read(bundleDigest));
    if (found === null) return stack;
    maps.set(bundleDigest, found);
    const mapped = found.map === null ? stack : mapStack(stack, found.map);
    stacks.set(key, mapped);
    return mapped;
  };

  return async (entry, bundleDigest) => {
    const fault = faultOf(entry);
    if (fault?.stack === undefined) return entry;
    const stack = await show(fault.stack, bundleDigest);
    return { ...entry, facts: { ...(entry.facts as object), fault: { ...fault, stack } } as Json };
  };
}

/** Lines of the host about faulted invocations carry the fault; run-plugin.ts writes them. */
const faultOf = ({ source, facts }: Omit<InstallationLogEntry, 'id'>): PluginFault | undefined =>
  source === 'host' ? ((facts as { fault?: unknown } | null)?.fault as PluginFault | undefined) : undefined;
