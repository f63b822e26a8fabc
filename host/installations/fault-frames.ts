import { LRUCache } from 'lru-cache';
import type { Json, PluginFault } from '../../plugins-sdk/contract/index.ts';
import { mapStack, readSourceMap, type SourceMap } from '../../plugins-sdk/map-frames.ts';
import { RegistryRefusal } from '../../registry/index.ts';
import type { Installation, InstallationLogEntry } from './contract.ts';

/** Sum of the mappings in memory: those of two plugins of the largest size, or of some hundred usual ones. */
const MAPPINGS_UNITS_MAX = 2 * 1024 * 1024;
const DIGESTS_MAX = 1_000;
const STACKS_UNITS_MAX = 1024 * 1024;
/** Reading a map costs up to some 100 ms of the host's only thread: strangers must not have it done all the time. */
const READS_MAX = 10;
const WINDOW_MS = 10_000;

export interface FaultFramesPorts {
  /**
   * The source map of a release, null where there is none. Refuses with RegistryRefusal where there never will be one. By
   * release and not by code: who publishes the code of others must not name its places.
   */
  loadSourceMap(release: ReleasedCode): Promise<string | null>;
  nowMs(): number;
}

export type ReleasedCode = Pick<Installation, 'releaseId' | 'bundleDigest'>;

/** The entry with the frames of its fault in the publisher's own files. Never rejects. */
export type ShowFrames = <Entry extends Omit<InstallationLogEntry, 'id'>>(
  entry: Entry,
  release: ReleasedCode,
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
  const read = async (release: ReleasedCode): Promise<{ map: SourceMap | null } | null> => {
    if (nowMs() >= window.endsAtMs) window = { endsAtMs: nowMs() + WINDOW_MS, reads: 0 };
    if (window.reads >= READS_MAX) return null;
    window.reads += 1;
    try {
      const json = await loadSourceMap(release);
      return { map: json === null ? null : readSourceMap(json) };
    } catch (error) {
      if (error instanceof RegistryRefusal) return { map: null };
      // An outage: the log must not wait for the same answer again and again.
      window.reads = READS_MAX;
      return null;
    }
  };

  const show: ShowText = async (text, release) => {
    const key = `${release.releaseId} ${text}`;
    const known = stacks.get(key);
    if (known !== undefined) return known;
    const found = maps.get(release.releaseId) ?? (await read(release));
    if (found === null) return text;
    maps.set(release.releaseId, found);
    const mapped = found.map === null ? text : mapStack(text, found.map);
    stacks.set(key, mapped);
    return mapped;
  };

  return async (entry, release) => {
    const fault = faultOf(entry);
    if (fault !== undefined) {
      if (fault.stack === undefined) return entry;
      const stack = await show(fault.stack, release);
      return { ...entry, facts: { ...(entry.facts as object), fault: { ...fault, stack } } as Json };
    }
    return entry.source === 'host' ? entry : showWritten(entry, release, show);
  };
}

type ShowText = (text: string, release: ReleasedCode) => Promise<string>;

/** What a plugin wrote of an error that it caught: the message, and texts directly in the facts or one level below. */
async function showWritten<Entry extends Omit<InstallationLogEntry, 'id'>>(
  entry: Entry,
  release: ReleasedCode,
  show: ShowText,
): Promise<Entry> {
  if (entry.message.includes(FRAME_SIGN)) entry = { ...entry, message: await show(entry.message, release) };
  let left = WRITTEN_TEXTS_MAX;
  const shown = async (value: Json, levels: number): Promise<Json> => {
    if (typeof value === 'string') return value.includes(FRAME_SIGN) && left-- > 0 ? show(value, release) : value;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || levels === 0) return value;
    const entries: [string, Json][] = [];
    for (const [name, each] of Object.entries(value)) entries.push([name, await shown(each as Json, levels - 1)]);
    return Object.fromEntries(entries);
  };
  const { facts } = entry;
  return carriesFrames(facts, 2) ? { ...entry, facts: await shown(facts, 2) } : entry;
}

const FRAME_SIGN = '(bundle.js:';
/** Of one line: mapping costs time, and what a line says is the plugin's choice. */
const WRITTEN_TEXTS_MAX = 8;

const carriesFrames = (value: Json, levels: number): boolean =>
  typeof value === 'string'
    ? value.includes(FRAME_SIGN)
    : typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      levels > 0 &&
      Object.values(value).some((each) => carriesFrames(each as Json, levels - 1));

/** Lines of the host about faulted invocations carry the fault; run-plugin.ts writes them. */
const faultOf = ({ source, facts }: Omit<InstallationLogEntry, 'id'>): PluginFault | undefined =>
  source === 'host' ? ((facts as { fault?: unknown } | null)?.fault as PluginFault | undefined) : undefined;
