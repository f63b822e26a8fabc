import type { LogProof } from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import type { LogReaderStore } from './log-reader-store.ts';
import { consistencyRanges, inclusionRanges, type LeafRange, placesOf, rangeHash } from './rules/prove-log.ts';

/** Hashes of ranges, in hexadecimal, by one look at the store. Refuses with: log-inconsistent. */
async function hashesOf(store: LogReaderStore, ranges: LeafRange[]): Promise<string[]> {
  const places = ranges.map(placesOf);
  const hashes = await store.hashes(places.flat());
  let at = 0;
  return places.map(({ length }) => {
    const own = hashes.slice(at, at + length);
    at += length;
    if (own.includes(null)) throw new RegistryRefusal('log-inconsistent');
    return rangeHash(own as Buffer[]).toString('hex');
  });
}

/** Refuses with: log-entry-unknown, log-inconsistent. */
export async function inclusionProof(store: LogReaderStore, index: number, size: number): Promise<LogProof> {
  const [leaf] = index < size ? await store.leaves(index, 1) : [];
  if (leaf?.index !== index || leaf.content === null) throw new RegistryRefusal('log-entry-unknown');
  return { entry: leaf.content, index, path: await hashesOf(store, inclusionRanges(index, size)) };
}

/** Refuses with: log-inconsistent. */
export const consistencyPath = (store: LogReaderStore, first: number, second: number): Promise<string[]> =>
  hashesOf(store, consistencyRanges(first, second));
