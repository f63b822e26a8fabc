import { expect } from 'chai';
import fc from 'fast-check';
import { STAGING_DECISIONS, STAGING_STATES } from '../contract.ts';
import { isInStage } from './in-stage.ts';
import { afterStage, DECISIONS, planFault } from './staging-states.ts';

const DIGEST = 'd'.repeat(64);
const rolling = (percents: number[], stage: number, digest = DIGEST) => ({
  state: 'rolling' as const,
  percents,
  stage,
  digest,
});
const ids = Array.from({ length: 4_000 }, (_, index) => `installation ${index}`);

describe('the plan of a staging', () => {
  it('has rising shares that end with everybody', () => {
    expect([[100], [5, 25, 50, 100]].map((percents) => planFault({ percents }))).to.deep.equal([null, null]);
    expect(planFault({ percents: [5, 25] })).to.equal('The last share is 100: everybody gets it in the end.');
    expect(planFault({ percents: [25, 25, 100] })).to.equal('Each share is larger than the one before.');
    for (const percents of [[0, 100], [1.5, 100], [101]]) {
      expect(planFault({ percents })).to.equal('Shares are whole numbers from 1 to 100.');
    }
    expect(planFault({ percents: [] })).to.equal('There are 1 to 10 shares.');
    expect(planFault({ percents: Array.from({ length: 11 }, (_, at) => at + 90) })).to.match(/1 to 10/);
  });

  it('ends after its last share', () => {
    expect(afterStage({ percents: [5, 100], stage: 0 })).to.deep.equal({ state: 'rolling', stage: 1 });
    expect(afterStage({ percents: [5, 100], stage: 1 })).to.deep.equal({ state: 'done', stage: 1 });
  });
});

describe('a stage', () => {
  it('has about its share, and whoever has it in one stage has it in all later ones', () => {
    const percents = [5, 25, 50, 100];
    const taken = percents.map((_, stage) => ids.filter((id) => isInStage(rolling(percents, stage), id)));
    for (const [stage, percent] of percents.entries()) {
      expect(taken[stage]!.length / ids.length).to.be.closeTo(percent / 100, 0.02);
      if (stage > 0) expect(taken[stage]).to.include.members(taken[stage - 1]!);
    }
  });

  it('is of others for another release', () => {
    const first = (digest: string) => ids.filter((id) => isInStage(rolling([10, 100], 0, digest), id));
    const [one, other] = [first(DIGEST), first('e'.repeat(64))];
    expect(one.filter((id) => other.includes(id)).length).to.be.lessThan(one.length / 3);
  });

  it('has nobody unless it is rolling, and everybody when it is over or was never planned', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        for (const state of ['planned', 'halted', 'rolled-back'] as const) {
          expect(isInStage({ ...rolling([100], 0), state }, id)).to.equal(false);
        }
        expect(isInStage({ ...rolling([1, 100], 0), state: 'done' }, id)).to.equal(true);
        expect(isInStage(undefined, id)).to.equal(true);
        expect(isInStage(rolling([1, 100], 1), id)).to.equal(true);
      }),
    );
  });
});

describe('decisions about a staging', () => {
  it('lead somewhere from every state that is not the last', () => {
    for (const decision of STAGING_DECISIONS) {
      const { from, to } = DECISIONS[decision];
      expect(from).not.to.include(to);
    }
    const ends = STAGING_STATES.filter(
      (state) => !STAGING_DECISIONS.some((each) => DECISIONS[each].from.includes(state)),
    );
    expect(ends).to.deep.equal(['rolled-back']);
  });
});
