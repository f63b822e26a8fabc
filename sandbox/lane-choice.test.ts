import { expect } from 'chai';
import fc from 'fast-check';
import { LaneChoice } from './lane-choice.ts';

const lane = () => ({ waiting: 0, pace: { load: (runs: number) => runs }, runs: new Set<number>() });
const links = (count: number) => Array.from({ length: count }, lane);
const always = () => true;

describe('LaneChoice', () => {
  let costs: { isLong(id: string): boolean; shortCpuMs: number };
  beforeEach(() => {
    costs = { isLong: (id) => id.startsWith('long'), shortCpuMs: 0 };
  });

  it('keeps long and short turns on lanes of their own while there are both', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.array(fc.uuid(), { minLength: 5, maxLength: 20 }),
        (count, ids) => {
          const choice = new LaneChoice(count, costs);
          const lanes = links(count);
          choice.choose('long', lanes, always, 1, 10_000);
          const short = ids.map((id) => choice.choose(id, lanes, always, 1, 10_000));
          const long = ids.map((id) => choice.choose(`long-${id}`, lanes, always, 1, 10_000));
          expect(Math.max(...short)).to.be.below(Math.min(...long));
          expect(Math.min(...short, ...long)).to.be.at.least(0);
        },
      ),
    );
  });

  it('gives either kind every lane when the other was not seen for a second', () => {
    const choice = new LaneChoice(2, costs);
    const lanes = links(2);
    const seen = (prefix: string, nowMs: number) =>
      new Set(Array.from({ length: 50 }, (_, at) => choice.choose(`${prefix}-${at}`, lanes, always, 1, nowMs)));
    expect(seen('long', 10_000).size).to.equal(2);
    expect([...seen('short', 10_500)]).to.deep.equal([0]);
    expect([...seen('long', 10_900)]).to.deep.equal([1]);
    expect(seen('short', 11_901).size).to.equal(2);
    expect(seen('long', 12_902).size).to.equal(2);
  });

  it('gives short turns as many lanes as they keep busy, and at most half', () => {
    const choice = new LaneChoice(8, costs);
    const lanes = links(8);
    const lanesOfShort = (nowMs: number) => {
      choice.choose('long', lanes, always, 1, nowMs);
      const taken = Array.from({ length: 200 }, (_, at) => choice.choose(`${at}`, lanes, always, 1, nowMs));
      return Math.max(...taken) + 1;
    };
    expect(lanesOfShort(10_000)).to.equal(1);
    costs.shortCpuMs += 4_000;
    expect(lanesOfShort(12_000)).to.equal(3);
    costs.shortCpuMs += 20_000;
    expect(lanesOfShort(14_000)).to.equal(4);
  });

  it('takes a lane of the other side where its own is closed, and none where all are', () => {
    const choice = new LaneChoice(2, costs);
    const lanes = [...links(1), null];
    choice.choose('short', lanes, always, 1, 10_000);
    expect(choice.choose('long', lanes, always, 1, 10_000)).to.equal(0);
    expect(choice.choose('long', lanes, () => false, 1, 10_000)).to.equal(-1);
  });
});
