import { expect } from 'chai';
import type { Principal } from '../../registry/index.ts';
import { createStatistics } from './compose.ts';
import type { DayRow } from './statistics-store.ts';

const DAY = '2030-01-01';
const actor = { organisation: { id: 'acme', slug: 'acme', kind: 'publisher' } } as unknown as Principal;

const row = (version: string | null, operators: number, fetches: { calls: number; operators: number }): DayRow => ({
  plugin: 'acme/shop',
  releaseId: version,
  version,
  day: DAY,
  ...{ views: 0, installs: 0, updates: 0, uninstalls: 0, active: 0, faults: 0 },
  operators,
  invocations: 10 * operators,
  durations: [10 * operators],
  capabilities: { fetch: { ...fetches, refused: 0 } },
});

describe('statistics of a plugin', () => {
  it('tell of a capability no parts of which the rest is what one operator did', async () => {
    const rows = [
      row(null, 8, { calls: 107, operators: 5 }),
      row('1.0.0', 3, { calls: 40, operators: 3 }),
      row('1.1.0', 4, { calls: 60, operators: 4 }),
      row('1.2.0', 4, { calls: 7, operators: 1 }),
    ];
    const statistics = createStatistics({
      store: {
        findPlugin: async () => ({ id: 'p', publisherId: 'acme' }),
        ofPlugin: async () => rows,
        ofPublisher: async () => [],
        pluginsOf: async () => [],
        lastCounted: async () => null,
      },
      nowMs: () => Date.parse(DAY),
    });
    const { total, releases } = await statistics.ofPlugin(actor, 'acme/shop', { from: DAY, to: DAY });
    expect(total.use!.capabilities).to.deep.equal([{ name: 'fetch', calls: 107, refused: 0 }]);
    const told = releases.map(({ version, use }) => [version, use!.capabilities.map(({ calls }) => calls)]);
    expect(told).to.deep.equal([
      ['1.2.0', []],
      ['1.1.0', [60]],
      ['1.0.0', []],
    ]);
  });
});
