import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ConductRules,
  cleanStanding,
  mayLeaveSolitary,
  resume,
  type Standing,
  scoreAt,
  strike,
} from './standing.ts';

const HOUR_MS = 3_600_000;
const RULES: ConductRules = { solitaryAt: 3, suspendAt: 6, halfLifeMs: HOUR_MS };

const someRules = fc
  .record({
    solitaryAt: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 20 }),
    halfLifeMs: fc.integer({ min: 1, max: 1_000 * HOUR_MS }),
  })
  .map(({ solitaryAt, more, halfLifeMs }) => ({ solitaryAt, suspendAt: solitaryAt + more, halfLifeMs }));
/** Times in any order: clocks go backwards. */
const someTimes = fc.array(fc.integer({ min: 0, max: 100 * HOUR_MS }), { maxLength: 30 });
const laterMs = fc.integer({ min: 0, max: 1_000 * HOUR_MS });

const struckAt = (times: number[], rules: ConductRules, from: Standing = cleanStanding(0)): Standing =>
  times.reduce((standing, atMs) => strike(standing, atMs, rules).standing, from);
const isNear = (one: number, other: number) => Math.abs(one - other) <= 1e-9 * Math.max(1, one, other);

describe('strike', () => {
  it('makes solitary at the third and suspends at the sixth of strikes in quick succession', () => {
    const verdicts: string[] = [];
    let standing = cleanStanding(0);
    for (let nth = 1; nth <= 8; nth++) {
      const struck = strike(standing, nth * 10_000, RULES);
      standing = struck.standing;
      verdicts.push(struck.verdict);
    }
    expect(verdicts).to.deep.equal([
      'counted',
      'counted',
      'solitary',
      'counted',
      'counted',
      'suspended',
      'counted',
      'counted',
    ]);
    expect(standing).to.include({ strikes: 8, solitarySinceMs: 30_000, suspendedAtMs: 60_000 });
  });

  it('never makes solitary for one strike a day', () => {
    const days = Array.from({ length: 100 }, (_, day) => day * 24 * HOUR_MS);
    expect(struckAt(days, RULES)).to.include({ strikes: 100, solitarySinceMs: null, suspendedAtMs: null });
  });

  it('reaches N with N strikes of one instant, for every N', () => {
    fc.assert(
      fc.property(someRules, laterMs, (rules, atMs) => {
        const at = (count: number) => struckAt(Array<number>(count).fill(atMs), rules);
        expect(at(rules.solitaryAt - 1).solitarySinceMs).to.equal(null);
        expect(at(rules.solitaryAt).solitarySinceMs).to.equal(atMs);
        expect(at(rules.suspendAt - 1).suspendedAtMs).to.equal(null);
        expect(at(rules.suspendAt).suspendedAtMs).to.equal(atMs);
      }),
    );
  });

  it('only ever adds, exactly one, whatever the clock did', () => {
    fc.assert(
      fc.property(someRules, someTimes, laterMs, (rules, times, atMs) => {
        const before = struckAt(times, rules);
        const { standing } = strike(before, atMs, rules);
        expect(isNear(standing.score, scoreAt(before, atMs, rules) + 1)).to.equal(true);
        expect(standing.strikes).to.equal(times.length + 1);
        expect(standing.score).to.be.at.most(times.length + 1);
      }),
    );
  });

  it('takes nothing back: who is solitary or suspended stays so, since the same time', () => {
    fc.assert(
      fc.property(someRules, someTimes, someTimes, (rules, first, more) => {
        const before = struckAt(first, rules);
        const later = struckAt(more, rules, before);
        if (before.solitarySinceMs !== null) expect(later.solitarySinceMs).to.equal(before.solitarySinceMs);
        if (before.suspendedAtMs !== null) expect(later.suspendedAtMs).to.equal(before.suspendedAtMs);
        if (later.suspendedAtMs !== null) expect(later.solitarySinceMs).not.to.equal(null);
      }),
    );
  });

  it('judges a further strike no milder than one less', () => {
    fc.assert(
      fc.property(someRules, someTimes, (rules, times) => {
        const ordered = times.toSorted((one, other) => one - other);
        for (let leftOut = 0; leftOut < ordered.length; leftOut++) {
          const fewer = struckAt(ordered.toSpliced(leftOut, 1), rules);
          const all = struckAt(ordered, rules);
          const atMs = ordered.at(-1)!;
          expect(scoreAt(all, atMs, rules)).to.be.at.least(scoreAt(fewer, atMs, rules) - 1e-9);
          if (fewer.suspendedAtMs !== null) expect(all.suspendedAtMs).to.be.at.most(fewer.suspendedAtMs);
        }
      }),
    );
  });

  it('does not depend on the order of strikes within one instant, nor on which host wrote first', () => {
    fc.assert(
      fc.property(someRules, someTimes, laterMs, fc.integer({ min: 1, max: 10 }), (rules, times, atMs, count) => {
        const before = struckAt(times, rules);
        const together = struckAt(Array<number>(count).fill(atMs), rules, before);
        expect(isNear(together.score, scoreAt(before, atMs, rules) + count)).to.equal(true);
        expect(together.strikes).to.equal(before.strikes + count);
      }),
    );
  });
});

describe('scoreAt', () => {
  it('halves with every half-life and never grows', () => {
    fc.assert(
      fc.property(someRules, someTimes, laterMs, laterMs, (rules, times, elapsedMs, moreMs) => {
        const standing = struckAt(times, rules);
        const atMs = standing.scoredAtMs + elapsedMs;
        const now = scoreAt(standing, atMs, rules);
        expect(isNear(scoreAt(standing, atMs + rules.halfLifeMs, rules), now / 2)).to.equal(true);
        expect(scoreAt(standing, atMs + moreMs, rules)).to.be.at.most(now);
        expect(now).to.be.within(0, standing.score);
      }),
    );
  });

  it('forgets nothing and adds nothing while the clock is behind', () => {
    fc.assert(
      fc.property(someRules, someTimes, laterMs, (rules, times, backMs) => {
        const standing = struckAt(times, rules);
        expect(scoreAt(standing, standing.scoredAtMs - backMs, rules)).to.equal(standing.score);
      }),
    );
  });

  it('decays again as soon as the clock runs, also after it was far ahead once', () => {
    const ahead = struckAt([1_000 * HOUR_MS, 0], RULES);
    expect(scoreAt(ahead, HOUR_MS, RULES)).to.equal(1);
  });
});

describe('mayLeaveSolitary', () => {
  const alone = struckAt([0, 0, 0], RULES);

  it('waits until the score has decayed below half of what made it solitary', () => {
    expect(alone.solitarySinceMs).to.equal(0);
    expect(mayLeaveSolitary(alone, HOUR_MS, RULES)).to.equal(false);
    expect(mayLeaveSolitary(alone, HOUR_MS + 1, RULES)).to.equal(true);
  });

  it('starts to wait again with every strike', () => {
    const again = struckAt([HOUR_MS], RULES, alone);
    expect(mayLeaveSolitary(again, HOUR_MS + 1, RULES)).to.equal(false);
    expect(mayLeaveSolitary(again, 3 * HOUR_MS, RULES)).to.equal(true);
  });

  it('is true sooner or later for everybody who is not suspended, and then stays so', () => {
    fc.assert(
      fc.property(someRules, someTimes, laterMs, (rules, times, moreMs) => {
        const standing = struckAt(times, rules);
        const farMs = Math.max(standing.scoredAtMs, standing.solitarySinceMs ?? 0) + 60 * rules.halfLifeMs;
        const isAlone = standing.solitarySinceMs !== null && standing.suspendedAtMs === null;
        expect(mayLeaveSolitary(standing, farMs, rules)).to.equal(isAlone);
        expect(mayLeaveSolitary(standing, farMs + moreMs, rules)).to.equal(isAlone);
      }),
    );
  });

  it('does not wait for a future that a wrong clock noted', () => {
    const wrong = { ...struckAt([0, 0, 0], RULES), solitarySinceMs: 1_000 * HOUR_MS };
    expect(mayLeaveSolitary(wrong, 2 * HOUR_MS, RULES)).to.equal(true);
  });
});

describe('resume', () => {
  const resumed = resume(struckAt([0, 0, 0, 0, 0, 0], RULES), 10 * HOUR_MS);

  it('starts from zero and counts on what there ever was', () => {
    expect(resumed).to.include({ score: 0, strikes: 6, suspendedAtMs: null });
  });

  it('leaves the installation alone for one half-life', () => {
    expect(resumed.solitarySinceMs).to.equal(10 * HOUR_MS);
    expect(mayLeaveSolitary(resumed, 11 * HOUR_MS - 1, RULES)).to.equal(false);
    expect(mayLeaveSolitary(resumed, 11 * HOUR_MS, RULES)).to.equal(true);
  });

  it('suspends again after as many strikes as the first time', () => {
    const times = Array.from({ length: 5 }, () => 10 * HOUR_MS);
    expect(struckAt(times, RULES, resumed).suspendedAtMs).to.equal(null);
    expect(struckAt([...times, 10 * HOUR_MS], RULES, resumed).suspendedAtMs).to.equal(10 * HOUR_MS);
  });
});
