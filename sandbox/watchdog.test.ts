import { expect } from 'chai';
import { OVERDUE_GRACE_MS } from './limits.ts';
import { watchBoard } from './watch-board.ts';
import { createWatch, isOverdue, WATCH_PERIOD_MS } from './watchdog.ts';

describe('isOverdue', () => {
  const turn = { mustEndByMs: 1_150, cpuLeftMs: 50, deadlineMs: 11_000, heapMiB: 32 };
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

  it('does not wait so long for a turn that has surely run all the time, but as long as a loop or a collection may take', () => {
    expect(isOverdue(turn, 1_150 + 107, 260, 260)).to.equal(false);
    expect(isOverdue(turn, 1_150 + 108, 260, 260)).to.equal(true);
    expect(isOverdue(turn, 1_150 + 108, 260, 100), 'it may have waited').to.equal(false);
    expect(isOverdue({ ...turn, heapMiB: 128 }, 1_150 + 203, 260, 260)).to.equal(false);
  });
});

describe('createWatch', () => {
  function openWatch({ lanes = 1, residentMiBMax = 1_000 } = {}) {
    const at = { nowMs: 0, cpuMs: 0, residentMiB: 100 };
    const board = watchBoard(lanes);
    const ports = { nowMs: () => at.nowMs, cpuMs: () => at.cpuMs, residentMiB: () => at.residentMiB, residentMiBMax };
    const look = createWatch(board, ports);
    /** Looks as often as the watchdog does until it kills; returns the verdict and when it fell. */
    const watch = (forMs: number, each: () => void = () => {}) => {
      const endMs = at.nowMs + forMs;
      while (at.nowMs < endMs) {
        at.nowMs += WATCH_PERIOD_MS;
        each();
        const verdict = look();
        if (verdict) return { ...verdict, atMs: at.nowMs };
      }
      return null;
    };
    const turn = { mustEndByMs: 150, heapMiB: 32, cpuLeftMs: 50, deadlineMs: 10_000 };
    return { at, board, look, watch, turn };
  }

  it('kills for a turn that cannot be interrupted no later than 250 ms after it had to end', () => {
    const { at, board, watch, turn } = openWatch();
    board.enter(0, turn);
    const spin = () => {
      at.cpuMs += WATCH_PERIOD_MS;
    };
    const { atMs, ...verdict } = watch(1_000, spin)!;
    expect(verdict).to.include({ reason: 'overdue', lane: 0 });
    expect(atMs).to.be.within(turn.mustEndByMs + 107, turn.mustEndByMs + 107 + 2 * WATCH_PERIOD_MS);
    expect(verdict.cpuMs).to.be.within(200, atMs);
  });

  it('waits for 250 ms where another lane may have used the time, and where the turn did not get all of it', () => {
    const two = openWatch({ lanes: 2 });
    two.board.enter(0, two.turn);
    const { atMs } = two.watch(1_000, () => {
      two.at.cpuMs += WATCH_PERIOD_MS;
    })!;
    expect(atMs).to.be.greaterThan(two.turn.mustEndByMs + 200);
    const slow = openWatch();
    slow.board.enter(0, slow.turn);
    const late = slow.watch(1_000, () => {
      slow.at.cpuMs += WATCH_PERIOD_MS / 4;
    })!;
    expect(late.atMs).to.be.greaterThan(slow.turn.mustEndByMs + 200);
  });

  it('does so for every moment at which the turn may have begun', () => {
    for (let phaseMs = 1; phaseMs <= WATCH_PERIOD_MS; phaseMs++) {
      const { board, watch, turn, at } = openWatch();
      board.enter(0, { ...turn, mustEndByMs: 150 + phaseMs });
      const { atMs } = watch(1_000, () => {
        at.cpuMs += WATCH_PERIOD_MS;
      })!;
      expect(atMs).to.be.at.most(150 + phaseMs + 250 + WATCH_PERIOD_MS);
    }
  });

  it('leaves a lane alone that is in one turn after another', () => {
    const { at, board, watch, turn } = openWatch();
    const busy = () => {
      at.cpuMs += WATCH_PERIOD_MS;
      board.leave(0);
      board.enter(0, { ...turn, mustEndByMs: at.nowMs + 150 });
    };
    expect(watch(10_000, busy)).to.equal(null);
  });

  it('kills for a turn that grows far beyond its isolate, and names it', () => {
    const { at, board, watch, turn } = openWatch({ residentMiBMax: 10_000 });
    watch(250);
    board.enter(0, turn);
    const { reason, lane } = watch(140, () => {
      at.residentMiB += 100;
    })!;
    expect({ reason, lane }).to.deep.equal({ reason: 'memory', lane: 0 });
    expect(at.residentMiB).to.equal(500);
  });

  it('kills a cordon over its size for the only turn that grew', () => {
    const { at, board, watch, turn } = openWatch({ lanes: 2, residentMiBMax: 200 });
    watch(250);
    board.enter(1, turn);
    at.residentMiB = 201;
    expect(watch(50)).to.include({ reason: 'memory', lane: 1 });
  });

  it('names nobody when two were inside turns while it grew', () => {
    const { at, board, watch, turn } = openWatch({ lanes: 2, residentMiBMax: 200 });
    board.enter(0, turn);
    board.enter(1, turn);
    watch(50);
    at.residentMiB = 201;
    expect(watch(50)).to.include({ reason: 'crowded' });
  });

  it('names nobody when another lane had a turn that is over while it grew', () => {
    const { at, board, watch, turn } = openWatch({ lanes: 2, residentMiBMax: 200 });
    watch(250);
    board.enter(0, turn);
    watch(25);
    board.enter(1, turn);
    board.leave(1);
    at.residentMiB = 201;
    expect(watch(25)).to.include({ reason: 'crowded' });
  });

  it('lays nothing at the door of a turn that grew before it began', () => {
    const { at, board, watch, turn } = openWatch({ residentMiBMax: 200 });
    watch(250);
    for (let turns = 0; turns < 3; turns++) {
      board.enter(0, turn);
      board.leave(0);
    }
    board.enter(0, turn);
    at.residentMiB = 201;
    expect(watch(50)).to.include({ reason: 'full' });
  });

  it('kills a cordon that is too large without a turn, in a quarter of a second', () => {
    const { at, watch } = openWatch({ residentMiBMax: 200 });
    watch(250);
    at.residentMiB = 201;
    const verdict = watch(250)!;
    expect(verdict).to.include({ reason: 'full', cpuMs: 0 });
  });
});
