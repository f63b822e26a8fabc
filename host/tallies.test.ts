import { expect } from 'chai';
import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { TallyHistogram, tallyCounter } from './tallies.ts';

const STATUSES = ['200', '404'] as const;
const config = (registry: Registry) => ({
  name: 'seconds',
  help: 'Time.',
  labelNames: ['status', 'method'],
  buckets: [0.001, 0.01, 0.1, 1],
  registers: [registry],
});

describe('TallyHistogram', () => {
  it('says the same as a histogram of prom-client, as text and as JSON', async () => {
    const observation = fc.tuple(
      fc.constantFrom(...STATUSES),
      fc.oneof(fc.constantFrom(0, 0.001, 0.1, 1, 2), fc.double({ min: 0, max: 3, noNaN: true })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(observation, { minLength: 1, maxLength: 40 }), async (observations) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const tallied = new TallyHistogram(config(ours));
        const histogram = new Histogram(config(theirs));
        const tallies = new Map<string, ReturnType<typeof tallied.tally>>();
        for (const [status, value] of observations) {
          const labels = { status, method: 'GET' };
          if (!tallies.has(status)) tallies.set(status, tallied.tally(labels));
          tallies.get(status)!.observe(value);
          histogram.observe(labels, value);
        }
        expect(await ours.metrics()).to.equal(await theirs.metrics());
        const plain = (said: unknown) => JSON.parse(JSON.stringify(said));
        const exemplarless = plain(await theirs.getMetricsAsJSON());
        for (const { values } of exemplarless) for (const value of values) delete value.exemplar;
        expect(plain(await ours.getMetricsAsJSON())).to.deep.equal(exemplarless);
      }),
      { numRuns: 50 },
    );
  });
});

describe('tallyCounter', () => {
  it('says the same as a counter of prom-client, however often somebody asks', async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const of = (registry: Registry) => ({ name: 'calls', help: 'Calls.', labelNames: ['kind'], registers: [registry] });
    const tally = tallyCounter(of(ours))({ kind: 'http' });
    const counter = new Counter(of(theirs));
    for (const amount of [1, 2.5, 4]) {
      tally.add(amount);
      counter.inc({ kind: 'http' }, amount);
      expect(await ours.metrics()).to.equal(await theirs.metrics());
    }
  });
});
