import { expect } from 'chai';
import fc from 'fast-check';
import { createRateLimit } from './rate-limit.ts';

describe('createRateLimit', () => {
  it('gives each id a burst of its own, and then what comes back', () => {
    let now = 0;
    const rate = createRateLimit({ burst: 3, perSecond: 2, nowMs: () => now });
    const take = (id: string, times: number) =>
      Array.from({ length: times }, () => rate.take(id)).filter(Boolean).length;
    expect([take('a', 5), take('b', 2)]).to.deep.equal([3, 2]);
    now = 499;
    expect(take('a', 5)).to.equal(0);
    now = 1_000;
    expect(take('a', 5)).to.equal(2);
    now = 60_000;
    expect(take('a', 5)).to.equal(3);
  });

  it('never gives more than the burst and what time brought, whatever the steps', () => {
    const step = fc.record({ waitMs: fc.nat(3_000), takes: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let now = 0;
        let taken = 0;
        const rate = createRateLimit({ burst: 5, perSecond: 4, nowMs: () => now });
        for (const { waitMs, takes } of steps) {
          now += waitMs;
          for (let at = 0; at < takes; at += 1) if (rate.take('a')) taken += 1;
        }
        expect(taken).to.be.at.most(5 + (now * 4) / 1_000);
      }),
    );
  });

  it('forgets full buckets when there are many, and no others', () => {
    let now = 0;
    const rate = createRateLimit({ burst: 1, perSecond: 1, nowMs: () => now });
    rate.take('busy');
    for (let at = 0; at < 2_000; at += 1) rate.take(`id-${at}`);
    expect(rate.take('busy')).to.equal(false);
    now = 1_000;
    for (let at = 0; at < 5_000; at += 1) rate.take(`other-${at}`);
    expect(rate.take('busy')).to.equal(true);
  });
});
