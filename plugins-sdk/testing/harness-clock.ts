/** The time that a plugin under test sees. It stands still until the test moves it, or runs where no start was given. */
export interface HarnessClock {
  nowMs(): number;
  /** Moves to a moment and stands still there. A Date, or milliseconds since 1970. */
  set(to: Date | number): void;
  /** Moves on by so many milliseconds. */
  advance(ms: number): void;
}

export function harnessClock(startMs?: number): HarnessClock {
  let fixedMs = startMs ?? null;
  let offsetMs = 0;
  const nowMs = () => fixedMs ?? Date.now() + offsetMs;
  return {
    nowMs,
    set: (to) => {
      fixedMs = Number(to);
    },
    advance: (ms) => {
      if (fixedMs === null) offsetMs += ms;
      else fixedMs += ms;
    },
  };
}
