import { expect } from 'chai';
import fc from 'fast-check';
import { NumberTable } from './number-table.ts';

/** Few enough to come again and again; large ones are beyond 32 bits, where JavaScript's bits end. */
const number = fc.oneof(
  fc.nat(40),
  fc.nat(40).map((at) => 2 ** 40 + at),
);
const step = fc.record({ op: fc.constantFrom('set', 'set', 'delete', 'get'), number });

describe('NumberTable', () => {
  it('holds what a Map would hold, whatever is set and deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new NumberTable<{ at: number }>();
        const model = new Map<number, { at: number }>();
        steps.forEach(({ op, number }, at) => {
          if (op === 'delete') expect(table.delete(number)).to.equal(model.delete(number));
          else if (op === 'get') expect(table.get(number)).to.equal(model.get(number));
          else {
            const value = { at };
            table.set(number, value);
            model.set(number, value);
          }
          expect(table.size).to.equal(model.size);
        });
        const inOrder = [...model].sort(([one], [other]) => one - other).map(([, value]) => value);
        expect(table.list()).to.deep.equal(inOrder);
        expect(table.values()).to.have.members(inOrder);
        const isEven = ({ at }: { at: number }) => at % 2 === 0;
        expect(table.find(isEven)).to.equal(inOrder.find(isEven));
        for (const [number, value] of model) expect(table.get(number)).to.equal(value);
      }),
    );
  });

  it('grows, and finds nothing under what is no number of its own', () => {
    const table = new NumberTable<{ ticket: number }>();
    for (let ticket = 1; ticket <= 1_000; ticket++) table.set(ticket, { ticket });
    expect(table.list().map(({ ticket }) => ticket)).to.deep.equal(Array.from({ length: 1_000 }, (_, at) => at + 1));
    for (const stranger of [0, 1_001, 1.5, -1, 2 ** 32 + 1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(table.has(stranger), `${stranger}`).to.equal(false);
    }
  });

  it('keeps what is left when thousands have come and gone, and goes on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 5_000 }), fc.integer({ min: 1, max: 400 }), (many, nth) => {
        const table = new NumberTable<{ ticket: number }>();
        const left: number[] = [];
        for (let wave = 0; wave < 2; wave++) {
          for (let ticket = wave * many; ticket < (wave + 1) * many; ticket++) table.set(ticket, { ticket });
          for (let ticket = wave * many; ticket < (wave + 1) * many; ticket++) {
            if (ticket % nth === 0) left.push(ticket);
            else expect(table.delete(ticket)).to.equal(true);
          }
          expect(table.list().map(({ ticket }) => ticket)).to.deep.equal(left);
        }
        for (const ticket of left) expect(table.get(ticket)?.ticket).to.equal(ticket);
        expect(table.size).to.equal(left.length);
      }),
      { numRuns: 20 },
    );
  });
});
