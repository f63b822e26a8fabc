import { expect } from 'chai';
import { countViews } from './count-views.ts';
import type { ViewCount } from './view-store.ts';

const NOON_MS = Date.parse('2030-01-01T12:00:00Z');

describe('countViews', () => {
  const counter = (settings: { remembered?: number } = {}) => {
    const written: ViewCount[][] = [];
    const clock = { nowMs: NOON_MS };
    const broken = { now: false };
    const store = {
      add: async (counts: ViewCount[]) => {
        if (broken.now) throw new Error('no database');
        written.push(counts);
      },
    };
    return { written, clock, broken, ...countViews({ store, nowMs: () => clock.nowMs, ...settings }) };
  };

  it('counts whoever looks once a day for each plugin', async () => {
    const { count, flush, written, clock } = counter();
    for (const viewer of ['10.0.0.1', '10.0.0.1', '10.0.0.2']) count('one', viewer);
    count('two', '10.0.0.1');
    clock.nowMs += 86_400_000;
    count('one', '10.0.0.1');
    await flush();
    expect(written).to.deep.equal([
      [
        { pluginId: 'one', day: '2030-01-01', count: 2 },
        { pluginId: 'two', day: '2030-01-01', count: 1 },
        { pluginId: 'one', day: '2030-01-02', count: 1 },
      ],
    ]);
    await flush();
    expect(written).to.have.length(1);
  });

  it('keeps what cannot be written, and adds to it', async () => {
    const { count, flush, written, broken } = counter();
    count('one', 'a');
    broken.now = true;
    expect(await flush().catch((error) => error.message)).to.equal('no database');
    broken.now = false;
    count('one', 'b');
    await flush();
    expect(written).to.deep.equal([[{ pluginId: 'one', day: '2030-01-01', count: 2 }]]);
  });

  it('remembers no more callers than it may', async () => {
    const { count, flush, written } = counter({ remembered: 2 });
    for (const viewer of ['a', 'b', 'c', 'a']) count('one', viewer);
    await flush();
    expect(written[0]?.[0]?.count).to.equal(4);
  });
});
