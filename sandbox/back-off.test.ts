import { expect } from 'chai';
import fc from 'fast-check';
import { BackOff } from './back-off.ts';

describe('BackOff', () => {
  it('doubles with every failure, from a tenth of a second up to ten', () => {
    const backOff = new BackOff(() => 0);
    const delays = Array.from({ length: 9 }, () => backOff.fail());
    expect(delays).to.deep.equal([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(backOff.failures).to.equal(9);
  });

  it('begins anew when the last failure is more than a minute ago', () => {
    let nowMs = 0;
    const backOff = new BackOff(() => nowMs);
    backOff.fail();
    nowMs = 60_000;
    expect(backOff.fail()).to.equal(200);
    nowMs += 60_001;
    expect(backOff.fail()).to.equal(100);
  });

  it('begins anew when something has worked since the last failure, but not when it had worked before', () => {
    let nowMs = 1_000;
    const backOff = new BackOff(() => nowMs);
    backOff.fail();
    backOff.succeed(999);
    expect(backOff.fail()).to.equal(200);
    nowMs = 2_000;
    backOff.succeed(1_500);
    expect(backOff.failures).to.equal(0);
    expect(backOff.fail()).to.equal(100);
  });

  it('never lets a start that always fails at once be tried more than 13 times in the first minute', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 60, maxLength: 60 }), (lifetimes) => {
        let nowMs = 0;
        const backOff = new BackOff(() => nowMs);
        let attempts = 0;
        for (const lifeMs of lifetimes) {
          if (nowMs > 60_000) break;
          attempts++;
          nowMs += lifeMs;
          nowMs += backOff.fail();
        }
        expect(attempts).to.be.at.most(13);
      }),
    );
  });
});
