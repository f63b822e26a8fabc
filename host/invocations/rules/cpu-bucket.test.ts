import { expect } from 'chai';
import fc from 'fast-check';
import { type CpuBucket, debit, fullBucket, isFull, refill, waitMs } from './cpu-bucket.ts';

const budgets = fc.record({
  cpuMsPerSecond: fc.integer({ min: 1, max: 4_000 }),
  cpuBurstMs: fc.integer({ min: 1, max: 60_000 }),
});
const times = fc.integer({ min: 0, max: 10_000_000 });
/** As the sandbox reports it: microseconds are the finest. */
const amounts = fc.integer({ min: 0, max: 1_000_000 }).map((us) => us / 1_000);

describe('the CPU bucket', () => {
  it('holds its burst at first, and gives an invocation nothing to wait for', () => {
    fc.assert(
      fc.property(budgets, times, (budget, nowMs) => {
        const bucket = fullBucket(budget, nowMs);
        expect(bucket.creditUs).to.equal(budget.cpuBurstMs * 1_000);
        expect(waitMs(bucket, budget)).to.equal(0);
        expect(isFull(bucket, budget)).to.equal(true);
      }),
    );
  });

  it('gives back exactly its rate: many short waits are one long wait', () => {
    fc.assert(
      fc.property(budgets, amounts, fc.array(fc.integer({ min: 0, max: 5_000 })), (budget, cpuMs, waits) => {
        const used = debit(fullBucket(budget, 0), cpuMs);
        let nowMs = 0;
        let step: CpuBucket = used;
        for (const wait of waits) {
          nowMs += wait;
          step = refill(step, budget, nowMs);
        }
        expect(step).to.deep.equal({ ...refill(used, budget, nowMs), atMs: nowMs });
        expect(step.creditUs).to.equal(
          Math.min(budget.cpuBurstMs * 1_000, used.creditUs + nowMs * budget.cpuMsPerSecond),
        );
      }),
    );
  });

  it('lets the next one start after the wait that it names, and not a millisecond before', () => {
    fc.assert(
      fc.property(budgets, fc.array(amounts, { minLength: 1 }), times, (budget, used, nowMs) => {
        const bucket = used.reduce(debit, fullBucket(budget, nowMs));
        const wait = waitMs(bucket, budget);
        expect(waitMs(refill(bucket, budget, nowMs + wait), budget)).to.equal(0);
        if (wait > 0) expect(waitMs(refill(bucket, budget, nowMs + wait - 1), budget)).to.equal(1);
      }),
    );
  });

  it('is never further in debt than by one debit for each invocation that ran when it became empty', () => {
    type Step = { waitMs: number; cpuMs: number };
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 500 }), cpuMs: amounts }));
    fc.assert(
      fc.property(budgets, fc.integer({ min: 1, max: 8 }), steps, (budget, concurrent, all: Step[]) => {
        let bucket = fullBucket(budget, 0);
        let nowMs = 0;
        const running: number[] = [];
        for (const { waitMs: pause, cpuMs } of all) {
          nowMs += pause;
          bucket = refill(bucket, budget, nowMs);
          if (running.length < concurrent && waitMs(bucket, budget) === 0) running.push(cpuMs);
          else if (running.length > 0) bucket = debit(bucket, running.shift()!);
          expect(bucket.creditUs).to.be.at.least(-concurrent * 1_000_000);
        }
      }),
    );
  });

  it('never lets more run in any span than a full bucket, what came back, and the last debits', () => {
    fc.assert(
      fc.property(budgets, fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), amounts)), (budget, all) => {
        let bucket = fullBucket(budget, 0);
        let nowMs = 0;
        let usedUs = 0;
        for (const [pause, cpuMs] of all) {
          nowMs += pause;
          bucket = refill(bucket, budget, nowMs);
          if (waitMs(bucket, budget) > 0) continue;
          bucket = debit(bucket, cpuMs);
          usedUs += Math.round(cpuMs * 1_000);
          const paidUs = budget.cpuBurstMs * 1_000 + nowMs * budget.cpuMsPerSecond;
          expect(usedUs).to.be.at.most(paidUs + 1_000_000);
        }
      }),
    );
  });

  it('neither gains nor loses by a clock that goes backwards, and goes on from there', () => {
    fc.assert(
      fc.property(budgets, amounts, times, times, (budget, cpuMs, atMs, backMs) => {
        const bucket = debit(fullBucket(budget, atMs), cpuMs);
        const back = refill(bucket, budget, atMs - backMs);
        expect(back.creditUs).to.equal(bucket.creditUs);
        const wait = waitMs(back, budget);
        expect(waitMs(refill(back, budget, atMs - backMs + wait), budget)).to.equal(0);
      }),
    );
  });

  it('takes a smaller budget on at once', () => {
    const bucket = fullBucket({ cpuMsPerSecond: 500, cpuBurstMs: 2_000 }, 0);
    expect(refill(bucket, { cpuMsPerSecond: 10, cpuBurstMs: 100 }, 0).creditUs).to.equal(100_000);
  });
});
