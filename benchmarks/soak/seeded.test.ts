import { expect } from 'chai';
import { seeded } from './seeded.ts';

describe('seeded', () => {
  const draw = (seed: number) => {
    const random = seeded(seed);
    return Array.from({ length: 1_000 }, () => random.next());
  };

  it('repeats itself for the same seed and for no other', () => {
    expect(draw(7)).to.deep.equal(draw(7));
    expect(draw(7)).to.not.deep.equal(draw(8));
  });

  it('waits as long as was asked for on average', () => {
    const random = seeded(1);
    const waits = Array.from({ length: 20_000 }, () => random.wait(400));
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).to.be.within(380, 420);
    expect(Math.min(...waits)).to.be.at.least(0);
  });

  it('chooses everybody now and then', () => {
    const random = seeded(1);
    expect(new Set(Array.from({ length: 200 }, () => random.below(5)))).to.deep.equal(new Set([0, 1, 2, 3, 4]));
  });
});
