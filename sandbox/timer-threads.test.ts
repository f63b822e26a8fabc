import { expect } from 'chai';
import fc from 'fast-check';
import { createTimerThreads } from './timer-threads.ts';

describe('createTimerThreads', () => {
  it('gives turns whose time gets earlier and earlier one thread', () => {
    let nowMs = 0;
    const fitted = createTimerThreads(() => nowMs);
    const dues = Array.from({ length: 500 }, (_, turn) => {
      nowMs = turn * 3;
      return nowMs + fitted(Math.max(1, 2_050 - Math.ceil(turn * 3.4)));
    });
    expect(dues.filter((due, turn) => dues.slice(0, turn).every((before) => due <= before)).length).to.be.at.most(12);
  });

  it('never stops a turn earlier than it should be, nor more than 50 ms later', () => {
    const turns = fc.array(fc.record({ afterMs: fc.nat(200), timeoutMs: fc.integer({ min: 1, max: 5_000 }) }));
    fc.assert(
      fc.property(turns, (all) => {
        let nowMs = 0;
        const fitted = createTimerThreads(() => nowMs);
        for (const { afterMs, timeoutMs } of all) {
          nowMs += afterMs;
          expect(fitted(timeoutMs)).to.be.within(timeoutMs, timeoutMs + 51);
        }
      }),
    );
  });
});
