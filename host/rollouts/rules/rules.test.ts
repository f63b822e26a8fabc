import { expect } from 'chai';
import fc from 'fast-check';
import { isInCanary } from './assign-release.ts';
import { bernoulliBounds } from './bernoulli-bounds.ts';
import { canaryGrants } from './canary-grants.ts';
import { type ArmSample, CANARY_RULES, judgeCanary } from './judge-canary.ts';
import { BUCKETS, bucketOf, edgeMs, quantileBucket } from './latency-buckets.ts';

const MINUTE_MS = 60_000;
/** `ms` is the duration of every call that was answered well. */
const sample = (calls: number, errors: number, ms = 5): ArmSample => {
  const durations = Array<number>(BUCKETS).fill(0);
  durations[bucketOf(ms)] = calls - errors;
  return { calls, errors, durations };
};
const judge = (stable: ArmSample, canary: ArmSample, agedMs = 0, promoteAfterMs: number | null = 10 * MINUTE_MS) =>
  judgeCanary({ stable, canary, startedAtMs: 1_000, nowMs: 1_000 + agedMs, promoteAfterMs });

describe('judgeCanary', () => {
  it('rolls back a canary that fails while the stable release does not', () => {
    expect(judge(sample(180, 0), sample(20, 20))).to.include({ verdict: 'roll-back', cause: 'errors' });
    expect(judge(sample(180, 0), sample(20, 10))).to.include({ verdict: 'roll-back', cause: 'errors' });
    expect(judge(sample(9_000, 9), sample(1_000, 50)).reason).to.match(/^50 of 1000 calls .* against 9 of 9000 /);
  });

  it('concludes nothing from few calls', () => {
    expect(judge(sample(1_000, 0), sample(19, 19)).verdict).to.equal('wait');
    expect(judge(sample(180, 0), sample(20, 1)).verdict).to.equal('wait');
  });

  it('keeps a canary that fails no more than the stable release, however often both do', () => {
    expect(judge(sample(1_000, 400), sample(1_000, 400)).verdict).to.equal('wait');
    expect(judge(sample(100_000, 100), sample(100_000, 400)).verdict).to.equal('wait');
  });

  it('rolls back a canary of which half fails where the stable release has nothing to compare with', () => {
    expect(judge(sample(3, 0), sample(40, 40))).to.include({ verdict: 'roll-back', cause: 'errors' });
    expect(judge(sample(3, 0), sample(40, 10)).verdict).to.equal('wait');
  });

  it('rolls back a canary that is slow, and no other', () => {
    expect(judge(sample(900, 0, 20), sample(100, 0, 60))).to.include({ verdict: 'roll-back', cause: 'latency' });
    expect(judge(sample(900, 0, 20), sample(100, 0, 25)).verdict).to.equal('wait');
    // Three times as slow, but nobody notices 4 ms.
    expect(judge(sample(900, 0, 2), sample(100, 0, 6)).verdict).to.equal('wait');
    expect(judge(sample(900, 0, 60), sample(100, 0, 20)).verdict).to.equal('wait');
  });

  it('finds what docs/life-cycle.md says, after as many calls as it says', () => {
    const callsUntil = (rate: number) => {
      for (let calls = 20; ; calls = Math.ceil(calls * 1.02)) {
        const stable = sample(calls * 9, Math.round(calls * 9 * 0.001));
        if (judge(stable, sample(calls, Math.round(calls * rate))).verdict === 'roll-back') return calls;
      }
    };
    expect(callsUntil(1)).to.equal(20);
    expect(callsUntil(0.1)).to.be.within(120, 150);
    expect(callsUntil(0.05)).to.be.within(300, 380);
    expect(callsUntil(0.02)).to.be.within(1_500, 2_000);
    expect(callsUntil(0.01)).to.be.within(9_000, 16_000);
  });

  it('promotes when the time is over and enough was seen', () => {
    expect(judge(sample(180, 1), sample(20, 0), 10 * MINUTE_MS).verdict).to.equal('promote');
    expect(judge(sample(180, 1), sample(20, 0), 10 * MINUTE_MS - 1).verdict).to.equal('wait');
    expect(judge(sample(180, 1), sample(20, 0), 1e12, null).verdict).to.equal('wait');
  });

  it('waits longer for a canary that hardly anybody calls, then promotes it if nothing failed', () => {
    const late = 10 * MINUTE_MS * CANARY_RULES.patience;
    expect(judge(sample(0, 0), sample(0, 0), late - 1).verdict).to.equal('wait');
    expect(judge(sample(0, 0), sample(0, 0), late).verdict).to.equal('promote');
    expect(judge(sample(5, 0), sample(3, 1), late).verdict).to.equal('wait');
  });

  const arm = fc.nat(400).chain((calls) => fc.nat(calls).map((errors) => sample(calls, errors)));
  it('never prefers a canary that fails more', () => {
    fc.assert(
      fc.property(arm, arm, fc.nat(50), (stable, canary, more) => {
        const worse = { ...canary, errors: Math.min(canary.calls, canary.errors + more) };
        const [before, after] = [judge(stable, canary).verdict, judge(stable, worse).verdict];
        if (before === 'roll-back') expect(after).to.equal('roll-back');
      }),
    );
  });
  it('never rolls back a canary that does as well as the stable release', () => {
    fc.assert(
      fc.property(arm, fc.nat(1_000), (stable, agedMs) => {
        expect(judge(stable, stable, agedMs).verdict).to.equal('wait');
      }),
    );
  });

  it('hardly ever gives a false alarm, although it looks after every call', () => {
    const random = fixedRandom(7);
    let alarms = 0;
    const runs = 200;
    for (let run = 0; run < runs; run += 1) {
      const rate = random() * 0.5;
      const [stable, canary] = [
        { calls: 0, errors: 0, durations: [] },
        { calls: 0, errors: 0, durations: [] },
      ];
      for (let call = 0; call < 1_000; call += 1) {
        const chosen = random() < 0.2 ? canary : stable;
        chosen.calls += 1;
        if (random() < rate) chosen.errors += 1;
        if (call % 5 > 0 || judge(stable, canary).verdict !== 'roll-back') continue;
        alarms += 1;
        break;
      }
    }
    expect(alarms / runs).to.be.below(0.01);
  });
});

/** mulberry32: the same numbers in every run. */
function fixedRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('bernoulliBounds', () => {
  it('hold what was seen between them, and close in on it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (calls, share) => {
        const hits = Math.round(share * calls);
        const { lower, upper } = bernoulliBounds(hits, calls);
        expect(lower).to.be.within(0, hits / calls + 1e-9);
        expect(upper).to.be.within(hits / calls - 1e-9, 1);
        const closer = bernoulliBounds(hits * 10, calls * 10);
        expect(closer.upper - closer.lower).to.be.at.most(upper - lower + 1e-9);
      }),
    );
  });
  it('say nothing where nothing was seen', () => {
    expect(bernoulliBounds(0, 0)).to.deep.equal({ lower: 0, upper: 1 });
  });
});

describe('latency buckets', () => {
  it('take every duration, and none that is longer than their edge', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 60_000, noNaN: true }), (ms) => {
        const bucket = bucketOf(ms);
        expect(ms).to.be.at.most(edgeMs(bucket) * (1 + 1e-9));
        if (bucket > 0) expect(ms).to.be.above(edgeMs(bucket - 1) * (1 - 1e-9));
      }),
    );
    for (const odd of [-1, Number.NaN]) expect(bucketOf(odd)).to.equal(0);
    expect(bucketOf(Number.POSITIVE_INFINITY)).to.equal(BUCKETS - 1);
  });
  it('know their quantiles', () => {
    expect(quantileBucket([0, 90, 5, 5], 0.95)).to.equal(2);
    expect(quantileBucket([], 0.95)).to.equal(0);
  });
});

describe('isInCanary', () => {
  it('gives a key the same release always, and keeps it when the share grows', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.nat(100), fc.nat(100), (rollout, key, a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(isInCanary(rollout, key, small)).to.equal(isInCanary(rollout, key, small));
        if (isInCanary(rollout, key, small)) expect(isInCanary(rollout, key, large)).to.equal(true);
        expect(isInCanary(rollout, key, 0)).to.equal(false);
        expect(isInCanary(rollout, key, 100)).to.equal(true);
      }),
    );
  });
  it('gives the canary its share of the keys, others in every rollout', () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => `caller-${at}`);
    const chosen = (rollout: string) => keys.filter((key) => isInCanary(rollout, key, 10));
    expect(chosen('a').length).to.be.within(850, 1_150);
    const again = new Set(chosen('b'));
    expect(chosen('a').filter((key) => again.has(key)).length).to.be.within(50, 160);
  });
});

describe('canaryGrants', () => {
  const granted = (now: string[]) =>
    canaryGrants({ canary: ['kv', 'log'], before: ['kv', 'fetch'], now }, ['kv', 'log', 'notify']);
  it('are what it began with, less what was taken and with what was given since', () => {
    expect(granted(['kv', 'fetch'])).to.deep.equal(['kv', 'log']);
    expect(granted(['fetch'])).to.deep.equal(['log']);
    expect(granted(['kv', 'notify', 'queue'])).to.deep.equal(['kv', 'log', 'notify']);
  });
});
