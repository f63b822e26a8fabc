import { expect } from 'chai';
import fc from 'fast-check';
import { ATTEMPTS_MAX, mustPause, PAUSE_AFTER_MS, waitMs } from './next-attempt.ts';

describe('waitMs', () => {
  const waits = (random: number) => Array.from({ length: ATTEMPTS_MAX - 1 }, (_, index) => waitMs(index + 1, random)!);

  it('grows threefold from ten seconds to six hours', () => {
    expect(waits(0).map((ms) => ms / 1_000)).to.deep.equal([
      10, 30, 90, 270, 810, 2_430, 7_290, 21_600, 21_600, 21_600, 21_600,
    ]);
  });

  it('takes between 13 and 27 hours in all, whatever chance says', () => {
    const hours = (random: number) => waits(random).reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    expect(hours(0)).to.be.within(26, 27.1);
    expect(hours(1)).to.be.within(13, 14);
  });

  it('takes at most a half away by chance, and never goes on for ever', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: ATTEMPTS_MAX - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, random) => {
          const [whole, taken] = [waitMs(count, 0)!, waitMs(count, random)!];
          return taken <= whole && taken >= whole / 2;
        },
      ),
    );
    expect(waitMs(ATTEMPTS_MAX, 0)).to.equal(null);
    expect(waitMs(ATTEMPTS_MAX + 5, 0)).to.equal(null);
  });
});

describe('mustPause', () => {
  it('is true after three days of failures, and no earlier', () => {
    expect(mustPause(0, PAUSE_AFTER_MS - 1)).to.equal(false);
    expect(mustPause(0, PAUSE_AFTER_MS)).to.equal(true);
  });
});
