import { expect } from 'chai';
import { BusyPoll } from './busy-poll.ts';

const MAX_US = 500;
const ROUND_MS = 0.02;
const SOON_MS = 0.1;
const LATE_MS = 2;
const LANE = {};

/** A host with `runs.size` invocations under way whose event loop goes round when it is told to; each round takes 20 us. */
function openRig({ maxUs = MAX_US, expectedMs = 0.05 } = {}) {
  let nowMs = 1_000;
  let next: (() => void)[] = [];
  let asked = 0;
  const runs = { size: 1 };
  const loop = {
    nowMs: () => nowMs,
    later: (work: () => void) => {
      asked++;
      next.push(work);
    },
  };
  const poll = new BusyPoll(maxUs, runs, { expectedMs: () => expectedMs }, loop);
  const start = (quietMs = SOON_MS, lane: object = LANE) => poll.onStart(lane, 'one', quietMs);
  const goRound = () => {
    nowMs += ROUND_MS;
    const works = next;
    next = [];
    for (const work of works) work();
  };
  // One came before.
  start(Number.POSITIVE_INFINITY);
  return {
    poll,
    runs,
    start,
    goRound,
    /** How often the event loop was asked not to sleep. */
    asked: () => asked,
    isAwake: () => next.length > 0,
    /** The lane is silent. Returns after how many rounds the host sleeps. */
    sleepAfterRounds: () => {
      let rounds = 0;
      for (; next.length > 0; rounds++) goRound();
      return rounds;
    },
    /** `count` invocations in a row; returns for how many of them the lane was to look. */
    serve: (count: number, quietMs: (at: number) => number) => {
      let granted = 0;
      for (let at = 0; at < count; at++) {
        if (start(quietMs(at)) > 0) granted++;
        goRound();
        poll.onWord();
        goRound();
      }
      return granted;
    },
  };
}

describe('BusyPoll', () => {
  it('makes the lane look for the next invocation where this one came soon after the last', () => {
    expect(openRig().start(0.499)).to.equal(MAX_US);
    for (const quietMs of [0.5, 100, Number.POSITIVE_INFINITY]) expect(openRig().start(quietMs)).to.equal(0);
  });

  it('keeps the host awake then until a lane says something', () => {
    const { poll, start, goRound, isAwake, sleepAfterRounds } = openRig();
    start();
    for (let rounds = 0; rounds < 3; rounds++) goRound();
    expect(isAwake()).to.equal(true);
    poll.onWord();
    expect(sleepAfterRounds()).to.equal(1);
  });

  it('lets the host sleep when the lane has said nothing for as long as it may look', () => {
    const { start, sleepAfterRounds } = openRig();
    start();
    expect(sleepAfterRounds()).to.be.closeTo(MAX_US / 1_000 / ROUND_MS, 2);
  });

  it('lets both sleep where the turn is expected to take longer than that', () => {
    const { start, isAwake } = openRig({ expectedMs: 4 });
    expect(start()).to.equal(0);
    expect(isAwake()).to.equal(false);
  });

  it('lets both sleep while there is another invocation, and ends the looking that began before it', () => {
    const { runs, start, sleepAfterRounds } = openRig();
    start();
    runs.size = 2;
    expect(start()).to.equal(0);
    expect(sleepAfterRounds()).to.equal(1);
  });

  it('makes one lane look at a time: none where invocations go to and fro between two', () => {
    const { start, isAwake } = openRig();
    const other = {};
    for (let times = 0; times < 10; times++) expect(start(SOON_MS, times % 2 === 0 ? other : LANE)).to.equal(0);
    expect(isAwake()).to.equal(false);
  });

  it('asks the event loop once a round, however often it begins', () => {
    const { poll, start, goRound, asked } = openRig();
    for (let times = 0; times < 5; times++) {
      start();
      poll.onWord();
    }
    start();
    expect(asked()).to.equal(1);
    goRound();
    expect(asked()).to.equal(2);
  });

  it('goes on where one look in twenty is in vain', () => {
    expect(openRig().serve(2_000, (at) => (at % 20 === 0 ? LATE_MS : SOON_MS))).to.be.above(1_800);
  });

  it('lets it be, ever longer, where looks are in vain, and comes back when they are not any more', () => {
    const rig = openRig();
    // Without a look the next one would come soon; with one it comes late, as on a machine where the caller wants the core.
    let looked = false;
    let granted = 0;
    for (let at = 0; at < 100_000; at++) {
      const now = rig.serve(1, () => (looked ? LATE_MS : SOON_MS)) > 0;
      if (now) granted++;
      looked = now;
    }
    expect(granted).to.be.within(50, 500);
    expect(rig.serve(30_000, () => SOON_MS)).to.be.above(20_000);
  });

  it('takes it for a look in vain, too, when the host heard nothing while it looked', () => {
    const { start, sleepAfterRounds } = openRig();
    let granted = 0;
    for (let at = 0; at < 10_000; at++) {
      if (start() > 0) granted++;
      sleepAfterRounds();
    }
    expect(granted).to.be.below(200);
  });

  it('does nothing where it is turned off', () => {
    const { start, isAwake } = openRig({ maxUs: 0 });
    expect(start()).to.equal(0);
    expect(isAwake()).to.equal(false);
  });
});
