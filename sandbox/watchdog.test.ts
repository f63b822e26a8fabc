import { expect } from 'chai';
import { OVERDUE_GRACE_MS } from './limits.ts';
import { isOverdue, WATCH_PERIOD_MS } from './watchdog.ts';

describe('isOverdue', () => {
  const turn = { mustEndByMs: 1_150, cpuLeftMs: 50, deadlineMs: 11_000 };
  const graceMs = OVERDUE_GRACE_MS;

  it('leaves a turn alone until it could have been interrupted', () => {
    expect(isOverdue(turn, 1_150 + graceMs - WATCH_PERIOD_MS, 400)).to.equal(false);
  });

  it('ends a turn that was not interrupted and has used up its CPU budget, in time for two looks', () => {
    expect(isOverdue(turn, 1_151 + graceMs - WATCH_PERIOD_MS, 51)).to.equal(true);
  });

  it('leaves a turn alone that a busy machine did not let run, for nobody could be blamed', () => {
    expect(isOverdue(turn, 1_150 + graceMs + 5_000, 50)).to.equal(false);
  });

  it('ends it all the same when the time of its invocation is over', () => {
    expect(isOverdue(turn, 11_001 + graceMs - WATCH_PERIOD_MS, 0)).to.equal(true);
  });
});
