import { expect } from 'chai';
import type { Change } from '../installations/change-store.ts';
import { type WatchPorts, watchCanaries } from './watch-canaries.ts';

const AT = '2030-01-01T00:00:00.000Z';
const installation = {
  id: 'i',
  slug: 'shop',
  plugin: 'acme/shop',
  version: '1.0.0',
  operator: { id: 'o', slug: 'arcade' },
  updates: { canary: { version: '1.1.0', percent: 10 } },
};

/** A canary that only its operator promotes, and that nobody has called. */
function watching(release: { state: string; blocked: object | null }) {
  const written: Change[] = [];
  const ports = {
    rollouts: {
      withCanary: async () => ['i'],
      canaryOf: async () => ({ rolloutId: 'r', toReleaseId: 'newer', promoteAfterSeconds: null, startedAt: AT }),
      samplesOf: async () => {
        const none = { calls: 0, errors: 0, durations: [] };
        return { stable: none, canary: none };
      },
    },
    registry: { releaseById: async () => release },
    store: { byId: async () => installation },
    changes: {
      take: async () => ({ leaseId: 'l', revision: 1 }),
      keep: async () => {},
      release: async () => {},
      write: async (change: Change) => {
        written.push(change);
        return true;
      },
    },
    nowMs: () => Date.parse(AT),
  } as unknown as WatchPorts;
  return { watch: watchCanaries(ports), written };
}

describe('watchCanaries', () => {
  it('lets a canary run on that nothing speaks against', async () => {
    const { watch, written } = watching({ state: 'published', blocked: null });
    expect(await watch()).to.equal(1);
    expect(written).to.deep.equal([]);
  });

  for (const [release, reason] of [
    [{ state: 'yanked', blocked: null }, 'The release is yanked.'],
    [{ state: 'published', blocked: { at: AT, reason: 'Its key was stolen.' } }, 'The release is blocked.'],
  ] as const) {
    it(`drops one at once whose calls are refused: ${reason}`, async () => {
      const { watch, written } = watching(release);
      expect(await watch()).to.equal(0);
      expect(written[0]!.end).to.deep.equal([
        { state: 'canary', as: 'rolled-back', reason, facts: { event: 'canary-rolled-back', by: 'judge' } },
      ]);
    });
  }
});
