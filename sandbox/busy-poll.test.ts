import { expect } from 'chai';
import { BusyPoll } from './busy-poll.ts';

const MAX_US = 500;

/** A host with `runs.size` invocations under way whose event loop goes round when it is told to; each round takes 20 us. */
function openRig({ maxUs = MAX_US, expectedMs = 0.05 } = {}) {
  let nowMs = 1_000;
  let next: (() => void)[] = [];
  const runs = { size: 1 };
  const loop = { nowMs: () => nowMs, later: (work: () => void) => void next.push(work) };
  const poll = new BusyPoll(maxUs, runs, { expectedMs: () => expectedMs }, loop);
  const goRound = () => {
    nowMs += 0.02;
    for (const work of next.splice(0)) work();
  };
  return {
    poll,
    runs,
    goRound,
    /** Whether the event loop would not sleep now. */
    isAwake: () => next.length > 0,
    sleepAfterRounds: (most = 1_000) => {
      let rounds = 0;
      while (next.length > 0 && rounds < most) {
        goRound();
        rounds++;
      }
      next = [];
      return rounds;
    },
  };
}

describe('BusyPoll', () => {
  it('keeps the host awake until a lane says something', () => {
    const { poll, goRound, isAwake, sleepAfterRounds } = openRig();
    poll.onStart('one', 10);
    for (let rounds = 0; rounds < 3; rounds++) goRound();
    expect(isAwake()).to.equal(true);
    poll.onWord();
    expect(sleepAfterRounds()).to.equal(1);
  });

  it('lets the host sleep when the lane has said nothing for as long as it may look', () => {
    const { poll, sleepAfterRounds } = openRig();
    poll.onStart('one', 10);
    expect(sleepAfterRounds()).to.be.closeTo(MAX_US / 20, 2);
  });

  it('lets the host sleep where the turn is expected to take longer than that', () => {
    const { poll, isAwake } = openRig({ expectedMs: 4 });
    poll.onStart('one', 10);
    expect(isAwake()).to.equal(false);
  });

  it('makes the lane look for the next invocation where this one came as soon', () => {
    const { poll } = openRig();
    expect(
      [0.1, 0.499, 0.5, 100, Number.POSITIVE_INFINITY].map((quietMs) => poll.onStart('one', quietMs)),
    ).to.deep.equal([MAX_US, MAX_US, 0, 0, 0]);
  });

  it('lets both sleep while there is another invocation, and ends the looking that began before it', () => {
    const { poll, runs, sleepAfterRounds } = openRig();
    poll.onStart('one', 0.1);
    runs.size = 2;
    expect(poll.onStart('two', 0.1)).to.equal(0);
    expect(sleepAfterRounds()).to.equal(1);
  });

  it('goes round once at a time, however often it begins', () => {
    const { poll, goRound, isAwake } = openRig();
    let rounds = 0;
    for (let times = 0; times < 5; times++) {
      poll.onStart('one', 0.1);
      poll.onWord();
    }
    for (; isAwake(); rounds++) goRound();
    expect(rounds).to.equal(1);
  });

  it('does nothing where it is turned off', () => {
    const { poll, isAwake } = openRig({ maxUs: 0 });
    expect(poll.onStart('one', 0.1)).to.equal(0);
    expect(isAwake()).to.equal(false);
  });
});
