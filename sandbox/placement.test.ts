import { expect } from 'chai';
import fc from 'fast-check';
import { createPlacement } from './placement.ts';

const lanes = fc.integer({ min: 1, max: 12 });
const keys = fc.array(fc.uuid(), { minLength: 50, maxLength: 200 });
const idle = (count: number) => Array.from({ length: count }, () => 0);

describe('createPlacement', () => {
  it('sends an installation to the same lane as long as the lanes are idle', () => {
    fc.assert(
      fc.property(lanes, fc.uuid(), (count, key) => {
        const [one, two] = [createPlacement(count), createPlacement(count)];
        const lane = one.place(key, idle(count), () => true);
        expect(lane).to.be.within(0, count - 1);
        expect(two.place(key, idle(count), () => true)).to.equal(lane);
      }),
    );
  });

  it('never picks a closed lane, and none where all are closed', () => {
    fc.assert(
      fc.property(lanes, fc.uuid(), fc.nat(), (count, key, open) => {
        const placement = createPlacement(count);
        expect(placement.place(key, idle(count), (lane) => lane === open % count)).to.equal(open % count);
        expect(placement.place(key, idle(count), () => false)).to.equal(-1);
      }),
    );
  });

  it('moves only the installations of a lane that closes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), keys, fc.nat(), (count, names, nth) => {
        const closed = nth % count;
        const placement = createPlacement(count);
        for (const name of names) {
          const before = placement.place(name, idle(count), () => true);
          const after = placement.place(name, idle(count), (lane) => lane !== closed);
          if (before !== closed) expect(after).to.equal(before);
        }
      }),
    );
  });

  it('keeps every lane within a quarter of the average, whoever comes', () => {
    fc.assert(
      fc.property(lanes, fc.uuid(), fc.integer({ min: 1, max: 500 }), (count, key, runs) => {
        const placement = createPlacement(count);
        const loads = idle(count);
        for (let run = 0; run < runs; run++) {
          const lane = placement.place(key, loads, () => true);
          loads[lane] = loads[lane]! + 1;
        }
        expect(Math.max(...loads)).to.be.at.most(Math.max(4, Math.ceil((1.25 * runs) / count)));
      }),
    );
  });

  it('keeps an installation that has little to do on its lane, unless that has far more than its share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.uuid(), fc.integer({ min: 1, max: 3 }), (count, key, running) => {
        const placement = createPlacement(count);
        const lane = placement.place(key, idle(count), () => true);
        const busy = (load: number) => idle(count).map((_, at) => (at === lane ? load : 0));
        expect(placement.place(key, busy(32), () => true, running)).to.equal(lane);
        expect(placement.place(key, busy(32), () => true, 4)).not.to.equal(lane);
        expect(placement.place(key, busy(200), () => true, running)).not.to.equal(lane);
      }),
    );
  });

  it('spreads many installations over all lanes', () => {
    const placement = createPlacement(4);
    const counts = idle(4);
    for (let n = 0; n < 4_000; n++) {
      const lane = placement.place(`installation-${n}`, idle(4), () => true);
      counts[lane] = counts[lane]! + 1;
    }
    for (const count of counts) expect(count).to.be.within(500, 1_700);
  });
});
