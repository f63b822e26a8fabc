import { expect } from 'chai';
import { seeded } from '../soak/seeded.ts';
import { trendOf } from './trend.ts';

const points = (count: number, valueAt: (at: number) => number) =>
  Array.from({ length: count }, (_, at) => ({ at, value: valueAt(at) }));

describe('trendOf', () => {
  it('finds the slope of a line, and its ends', () => {
    const { slope, noise, first, last, grows } = trendOf(points(100, (at) => 50 + 0.25 * at));
    expect(slope).to.be.closeTo(0.25, 1e-9);
    expect(noise).to.be.closeTo(0, 1e-9);
    expect([first, last]).to.deep.equal([50, 74.75]);
    expect(grows).to.equal(true);
  });

  it('calls a leak growth although noise is laid over it', () => {
    const random = seeded(1);
    expect(trendOf(points(600, (at) => 200 + 0.05 * at + 20 * random.next())).grows).to.equal(true);
  });

  it('calls noise without a leak no growth', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const { slope, noise } = trendOf(points(600, () => 200 + 20 * random.next()));
      expect(Math.abs(slope), `seed ${seed}`).to.be.below(2 * noise);
    }
  });

  it('trusts samples less that depend on those before them', () => {
    const random = seeded(3);
    let wander = 0;
    const wandering = points(600, () => {
      wander = 0.95 * wander + random.next() - 0.5;
      return wander;
    });
    const shuffled = wandering
      .map(({ value }) => ({ value, order: random.next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ value }, at) => ({ at, value }));
    expect(trendOf(wandering).noise).to.be.above(2 * trendOf(shuffled).noise);
  });

  it('says nothing from two samples', () => {
    expect(trendOf(points(2, (at) => at)).grows).to.equal(false);
  });
});
