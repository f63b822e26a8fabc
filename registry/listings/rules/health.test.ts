import { expect } from 'chai';
import { healthOf, INVOCATIONS_MIN, type Measured, OPERATORS_MIN } from './health.ts';

const NOW_MS = Date.parse('2030-06-01T00:00:00Z');
const measured = (changes: Partial<Measured> = {}): Measured => ({
  invocations: 10_000,
  faults: 10,
  p95Ms: 40,
  installations: 20,
  suspended: 0,
  operators: 5,
  updatedAt: '2030-05-01T00:00:00Z',
  ...changes,
});
const health = (changes: Partial<Measured> = {}) => healthOf(measured(changes), NOW_MS);

describe('healthOf', () => {
  it('judges by errors and suspensions, and says by which threshold', () => {
    expect(health()).to.include({
      verdict: 'good',
      errorRate: 0.001,
      speed: 'fast',
      activity: 'active',
      suspendedShare: 0,
    });
    expect(health().words).to.equal('0.10 % of its invocations fail (at most 1.00 % is good).');
    expect(health({ faults: 101 }).verdict).to.equal('fair');
    expect(health({ faults: 501 }).verdict).to.equal('poor');
    expect(health({ suspended: 1 }).verdict).to.equal('fair');
    expect(health({ suspended: 3 })).to.include({ verdict: 'poor', suspendedShare: 0.15 });
    expect(health({ suspended: 3 }).words).to.include('15 % of its installations are suspended');
  });

  it('has words for speed and for the last update', () => {
    expect(['fast', 'moderate', 'slow']).to.deep.equal([100, 1_000, 1_001].map((p95Ms) => health({ p95Ms }).speed));
    expect(health({ p95Ms: null }).speed).to.equal('unknown');
    const at = (updatedAt: string | null) => health({ updatedAt }).activity;
    expect([
      at('2029-12-10T00:00:00Z'),
      at('2029-11-01T00:00:00Z'),
      at('2028-01-01T00:00:00Z'),
      at(null),
    ]).to.deep.equal(['active', 'quiet', 'dormant', 'unknown']);
  });

  it('tells nothing of too few operators or invocations', () => {
    const few = health({ operators: OPERATORS_MIN - 1, suspended: 5, faults: 9_000 });
    expect(few).to.include({
      verdict: 'unknown',
      errorRate: null,
      p95Ms: null,
      suspendedShare: null,
      speed: 'unknown',
    });
    expect(health({ invocations: INVOCATIONS_MIN - 1, faults: 50 })).to.include({ verdict: 'unknown', p95Ms: null });
  });
});
