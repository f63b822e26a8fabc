import { expect } from 'chai';
import type { Principal, Release } from '../../registry/index.ts';
import type { RunningInstallation } from './reach-store.ts';
import { createReleases, type ReleasesPorts } from './yank-release.ts';

const ACTOR = { organisation: { slug: 'acme', kind: 'publisher' } } as Principal;
const RELEASE = { id: 'release', plugin: 'acme/hello', version: '1.0.0', state: 'published', yanked: null } as Release;
const of = (operatorId: string) => ({ id: operatorId, operatorId, operator: operatorId, slug: 'hello' });

describe('A yank', () => {
  it('is told to who installed the release after it was looked at and before it was yanked', async () => {
    const running: Partial<RunningInstallation>[] = [of('first')];
    const told: { organisationId: string }[] = [];
    const releases = createReleases({
      store: { running: async () => [...running], invocationsSince: async () => 0 },
      registry: { releaseById: async () => RELEASE, publishedVersions: async () => [] },
      life: {
        yank: async () => {
          running.push(of('second'));
          const yanked = { at: '2030-01-01T00:00:00.000Z', reason: 'It loses orders.', replacement: null };
          return { ...RELEASE, state: 'yanked', yanked };
        },
      },
      notifications: { add: async (all: typeof told) => void told.push(...all) },
      nowMs: () => 0,
    } as unknown as ReleasesPorts);
    const { digest } = await releases.reach(ACTOR, 'release');
    await releases.yank(ACTOR, 'release', { reason: 'It loses orders.', reach: digest });
    expect(told.map(({ organisationId }) => organisationId)).to.deep.equal(['first', 'second']);
  });
});
