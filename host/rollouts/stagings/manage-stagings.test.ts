import { expect } from 'chai';
import type { Principal } from '../../../registry/index.ts';
import type { StagingChange } from './end-staging-store.ts';
import { type ManagePorts, manageStagings } from './manage-stagings.ts';
import type { StoredStaging } from './staging-store.ts';

const actor = { organisation: { id: 'acme', slug: 'acme', kind: 'publisher' } } as unknown as Principal;
const halted = { plugin: 'acme/shop', version: '2.0.0', percents: [5, 100], stage: 0, state: 'halted' };
const nobody = { calls: 0, errors: 0, durations: [] };

/** A staging that was halted, with what became of its release. */
function managing(release: Partial<NonNullable<StoredStaging['release']>> | null) {
  const changes: StagingChange[] = [];
  let cleared = 0;
  const ports = {
    inTransaction: (work: (stores: object) => unknown) =>
      work({ store: { pluginId: async () => 'p', find: async () => ({ ...halted, release }) } }),
    samples: {
      clear: async () => {
        cleared += 1;
      },
      of: async () => ({ staged: nobody, earlier: nobody }),
      counts: async () => ({ following: 0, taken: 0, operators: 0 }),
    },
    change: async (change: StagingChange) => {
      changes.push(change);
      return true;
    },
    onRelease: () => {},
    nowMs: () => 0,
  } as unknown as ManagePorts;
  const target = { plugin: 'acme/shop', version: '2.0.0' };
  const resume = () => manageStagings(ports).decide(actor, target, { decision: 'resume', reason: '' });
  return { resume, changes, cleared: () => cleared };
}

describe('a staging that was halted', () => {
  it('goes on, counted anew', async () => {
    const { resume, changes, cleared } = managing({ state: 'published', isBlocked: false });
    await resume();
    expect(changes.map(({ move }) => move.state)).to.deep.equal(['rolling']);
    expect(cleared()).to.equal(1);
  });

  for (const [what, release] of [
    ['before its release is out', null],
    ['while its release is in review', { state: 'in-review', isBlocked: false }],
    ['when its release was blocked', { state: 'published', isBlocked: true }],
  ] as const) {
    it(`is not resumed ${what}: it would be halted again, and everybody told`, async () => {
      const { resume, changes, cleared } = managing(release);
      const refusal = await resume().catch((error) => error);
      expect(refusal.code).to.equal('staging-state-invalid');
      expect(refusal.message).to.equal('acme/shop@2.0.0 is not out: it can go on once it is.');
      expect([changes.length, cleared()]).to.deep.equal([0, 0]);
    });
  }
});
