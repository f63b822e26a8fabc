/**
 * Consistent hashing with bounded load (Mirrokni, Thorup, Zadimoghaddam 2016): an installation goes to the first lane
 * after its point on a ring that is not loaded more than LOAD_FACTOR times the average. So its isolates stay warm on one
 * lane, a busy installation spreads, and the loss of a lane moves only what was on it.
 */
const POINTS_PER_LANE = 64;
const LOAD_FACTOR = 1.25;
/** Up to this load a lane takes what belongs to it, whatever the average is. */
const LOAD_FREE = 4;
/**
 * An installation that has fewer than LOAD_FREE invocations running leaves its lane only where that has so much more to do than its
 * share: elsewhere it needs another isolate, which takes as long as some twenty heavy invocations, and the memory of one. When a
 * hundred installations moved because all of them were being started, each was started twice, and then there was no room.
 */
const LOAD_MOVES = 48;

export interface Placement {
  /**
   * The lane for `key`, or -1 where none is open. `loads[lane]` counts what it has; a lane is considered only
   * if `isOpen(lane)`. When all open lanes are over their share, the least loaded of them is taken. `running` counts the invocations
   * of `key` itself, this one included; many where absent.
   */
  place(key: string, loads: readonly number[], isOpen: (lane: number) => boolean, running?: number): number;
}

export function createPlacement(lanes: number): Placement {
  const ring = Array.from({ length: lanes * POINTS_PER_LANE }, (_, point) => ({
    at: hash32(`lane ${Math.floor(point / POINTS_PER_LANE)} point ${point % POINTS_PER_LANE}`),
    lane: Math.floor(point / POINTS_PER_LANE),
  })).sort((a, b) => a.at - b.at || a.lane - b.lane);
  const orders = ring.map((_, start) => lanesFrom(ring, start, lanes));

  return {
    place(key, loads, isOpen, running = LOAD_FREE) {
      const order = orders[firstAtOrAfter(ring, hash32(key))]!;
      let open = 0;
      let total = 1;
      let least = -1;
      let home = -1;
      for (const lane of order) {
        if (!isOpen(lane)) continue;
        if (home < 0) home = lane;
        open++;
        total += loads[lane]!;
        if (least < 0 || loads[lane]! < loads[least]!) least = lane;
      }
      const share = Math.max(LOAD_FREE, Math.ceil((LOAD_FACTOR * total) / Math.max(1, open)));
      if (home >= 0 && running < LOAD_FREE && loads[home]! < share + LOAD_MOVES) return home;
      for (const lane of order) if (isOpen(lane) && loads[lane]! < share) return lane;
      return least;
    },
  };
}

/** All lanes in the order in which the ring meets them from `start` on. */
function lanesFrom(ring: readonly { lane: number }[], start: number, lanes: number): number[] {
  const met = new Set<number>();
  for (let step = 0; met.size < lanes; step++) met.add(ring[(start + step) % ring.length]!.lane);
  return [...met];
}

function firstAtOrAfter(ring: readonly { at: number }[], at: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low % ring.length;
}

/** FNV-1a over UTF-16 units, then the finaliser of MurmurHash3, which spreads keys that differ only at their end. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
