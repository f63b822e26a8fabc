/** A number that only somebody who did all the rounds can know; plugin and caller compute it alike. */
export function mix(number: number, rounds: number): number {
  let state = number | 0;
  for (let round = 1; round <= rounds; round++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + round;
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39) | 0;
  }
  return state >>> 0;
}

export const ROUNDS = 2_000;
