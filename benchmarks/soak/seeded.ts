/** Random numbers that a seed repeats: mulberry32, good enough to choose whom to kill and what to send. */
export interface Seeded {
  /** 0 <= x < 1. */
  next(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** A waiting time of a Poisson process, in the unit of `mean`. */
  wait(mean: number): number;
}

export function seeded(seed: number): Seeded {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (count) => Math.floor(next() * count),
    wait: (mean) => -Math.log(1 - next()) * mean,
  };
}
