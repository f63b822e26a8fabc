import { expect } from 'chai';
import fc from 'fast-check';
import { HostRefusal } from '../errors.ts';
import { readRateLimits } from './rules/limits.ts';
import { createRunLimits } from './run-limits.ts';

describe('createRunLimits', () => {
  const opened = (setting: string) => {
    const limited: string[] = [];
    const limits = createRunLimits({ limits: readRateLimits(setting), onLimited: (name) => limited.push(name) });
    const take = (key: string, nowMs: number, name: 'run-address' | 'run-token' = 'run-address') => {
      try {
        limits.take(name, key, nowMs);
        return null;
      } catch (error) {
        return error as HostRefusal;
      }
    };
    return { take, limited };
  };

  it('lets so many through at once, and says when there is room again', () => {
    const { take, limited } = opened('run-address=3/6');
    expect([1, 2, 3].map(() => take('a', 1_000))).to.deep.equal([null, null, null]);
    const refused = take('a', 1_000)!;
    expect(refused).to.be.instanceOf(HostRefusal).and.to.include({ code: 'rate-limited' });
    expect(refused.facts).to.deep.equal({ limit: 'run-address', allowed: 3, perSeconds: 6, retryAfterMs: 2_000 });
    expect(limited).to.deep.equal(['run-address']);
    expect(take('a', 2_999)).to.be.instanceOf(HostRefusal);
    expect(take('a', 3_000)).to.equal(null);
    expect(take('a', 3_000)).to.be.instanceOf(HostRefusal);
  });

  it('counts everybody, and every limit, apart', () => {
    const { take } = opened('run-address=1/60,run-token=1/60');
    expect(take('a', 0)).to.equal(null);
    expect(take('b', 0)).to.equal(null);
    expect(take('a', 0, 'run-token')).to.equal(null);
    expect(take('a', 0)).to.be.instanceOf(HostRefusal);
  });

  it('does not count what it refuses, or who comes too early would never be let in', () => {
    const { take } = opened('run-address=1/1');
    take('a', 0);
    for (let at = 0; at < 100; at++) expect(take('a', 500)).to.be.instanceOf(HostRefusal);
    expect(take('a', 1_000)).to.equal(null);
  });

  it('lets everybody through where a limit is off', () => {
    const { take } = opened('run-address=off');
    for (let at = 0; at < 10_000; at++) expect(take('a', 0)).to.equal(null);
  });

  it('never lets more through within its time than twice its count, whatever comes when', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(400), { maxLength: 300 }), (count, pauses) => {
        const { take } = opened(`run-address=${count}/1`);
        let now = 0;
        const passed: number[] = [];
        for (const pause of pauses) {
          now += pause;
          if (take('a', now) === null) passed.push(now);
        }
        for (const from of passed) {
          const within = passed.filter((at) => at >= from && at < from + 1_000).length;
          expect(within).to.be.at.most(2 * count);
        }
      }),
    );
  });

  it('remembers whom it has just limited while strangers come in tens of thousands', () => {
    const { take } = opened('run-address=1/60');
    take('a', 0);
    for (let at = 0; at < 60_000; at++) take(`stranger-${at}`, 1);
    expect(take('a', 2)).to.be.instanceOf(HostRefusal);
  });
});
