import { expect } from 'chai';
import fc from 'fast-check';
import { median, percentile, spread } from './statistics.ts';

describe('percentile', () => {
  it('is the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
    expect(percentile(hundred, 0.5)).to.equal(50);
    expect(percentile(hundred, 0.99)).to.equal(99);
    expect(percentile([7], 0.99)).to.equal(7);
  });

  it('is not a number when there is nothing', () => {
    expect(percentile([], 0.5)).to.be.NaN;
  });
});

describe('median', () => {
  it('lies in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([4, 1, 3, 2])).to.equal(2.5);
  });

  it('is never outside of what it is taken of', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (numbers) => {
        expect(median(numbers)).to.be.within(Math.min(...numbers), Math.max(...numbers));
      }),
    );
  });
});

describe('spread', () => {
  it('is the distance between best and worst as a share of the median', () => {
    expect(spread([90, 100, 110])).to.be.closeTo(0.2, 1e-9);
    expect(spread([5])).to.equal(0);
  });
});
