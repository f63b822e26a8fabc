import { expect } from 'chai';
import fc from 'fast-check';
import { TurnCosts } from './turn-costs.ts';

let nowMs: number;
let told: string[];
const openCosts = () => {
  nowMs = 1;
  told = [];
  return new TurnCosts(
    () => nowMs,
    (installationId) => told.push(installationId),
  );
};
const noteAll = (costs: TurnCosts, turnsMs: number[]) => {
  for (const cpuMs of turnsMs) costs.note('one', 1, cpuMs);
};

describe('TurnCosts', () => {
  it('expects what the last turns took, and of whom it does not know that a lane has room for one', () => {
    const costs = openCosts();
    expect(costs.expectedMs('one')).to.equal(4);
    noteAll(costs, Array(100).fill(0.05));
    expect(costs.expectedMs('one')).to.be.closeTo(0.05, 1e-9);
    noteAll(costs, Array(100).fill(20));
    expect(costs.expectedMs('one')).to.be.closeTo(20, 0.1);
    expect(costs.expectedMs('two')).to.equal(4);
    noteAll(costs, [0.05, 12]);
    costs.note('two', 1, 0.05);
    costs.note('two', 1, 12);
    expect(costs.expectedMs('two')).to.equal(12);
  });

  it('calls an installation long from its second long turn on, tells it once, and takes it back after thirty seconds', () => {
    const costs = openCosts();
    noteAll(costs, [20]);
    expect([costs.isLong('one'), told]).to.deep.equal([false, []]);
    noteAll(costs, [20, 20]);
    expect([costs.isLong('one'), told]).to.deep.equal([true, ['one']]);
    noteAll(costs, Array(200).fill(0.05));
    nowMs += 29_999;
    expect(costs.isLong('one')).to.equal(true);
    nowMs += 1;
    expect(costs.isLong('one')).to.equal(false);
    noteAll(costs, [20, 20]);
    expect([costs.isLong('one'), told]).to.deep.equal([true, ['one', 'one']]);
  });

  it('calls nobody long for a single turn, however it was preempted, nor for many short ones told at once', () => {
    const costs = openCosts();
    noteAll(costs, [...Array(50).fill(0.05), 300, ...Array(50).fill(0.05)]);
    costs.note('one', 100, 30);
    costs.note('one', 100, 30);
    expect([costs.isLong('one'), told]).to.deep.equal([false, []]);
  });

  it('expects no more than one turn may take, whatever a lane says', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1 }), (said) => {
        const costs = openCosts();
        noteAll(costs, said);
        expect(costs.expectedMs('one')).to.be.within(0, 1_000 + 1e-6);
      }),
    );
  });

  it('adds up the time of turns that are not long', () => {
    const costs = openCosts();
    noteAll(costs, [1, 2, 20, 0.5]);
    expect(costs.shortCpuMs).to.equal(3.5);
  });
});
