import { createHash } from 'node:crypto';
import {
  may,
  newestInRange,
  type Principal,
  type Registry,
  RegistryRefusal,
  type Release,
  type ReleaseLife,
} from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { NotificationStore } from '../notifications/notification-store.ts';
import type { Reach, Releases } from './contract.ts';
import type { ReachStore, RunningInstallation } from './reach-store.ts';
import { tellOperators, yankNotice } from './tell-operators.ts';

export interface ReleasesPorts {
  store: ReachStore;
  registry: Pick<Registry, 'releaseById' | 'publishedVersions'>;
  life: Pick<ReleaseLife, 'yank'>;
  notifications: Pick<NotificationStore, 'add'>;
  nowMs(): number;
}

const DAY_MS = 86_400_000;
const OPERATORS_SHOWN_MAX = 100;

export function createReleases(ports: ReleasesPorts): Releases {
  const { store, registry, life } = ports;
  const own = async (actor: Principal, releaseId: string): Promise<Release> => {
    const release = await registry.releaseById(releaseId);
    const isOwn = actor.organisation.kind === 'publisher' && release?.plugin.startsWith(`${actor.organisation.slug}/`);
    if (release === null || !(isOwn || may(actor, 'release:review'))) throw new RegistryRefusal('release-unknown');
    return release;
  };
  return {
    reach: async (actor, releaseId) => {
      const release = await own(actor, releaseId);
      return describeReach(ports, release, await store.running(release.id));
    },
    yank: async (actor, releaseId, { reach, ...notice }) => {
      const before = await own(actor, releaseId);
      const running = await store.running(before.id);
      if (before.state !== 'yanked' && digestOf(before, running) !== reach) {
        throw new HostRefusal('reach-changed', undefined, {
          installations: running.length,
          digest: digestOf(before, running),
        });
      }
      const release = await life.yank(actor, releaseId, notice);
      // Also where it was yanked before: whoever asks again may do so because nobody could be told.
      if (release.yanked) await tellOperators(ports, release, { ...yankNotice(release), at: release.yanked.at });
      return release;
    },
  };
}

async function describeReach(
  { store, registry, nowMs }: ReleasesPorts,
  release: Release,
  running: RunningInstallation[],
): Promise<Reach> {
  const operators = [...Map.groupBy(running, ({ operator }) => operator)]
    .map(([slug, all]) => ({
      slug,
      installations: all.length,
      enabled: all.filter(({ enabled }) => enabled).length,
      following: all.filter(({ follows }) => follows !== null).length,
    }))
    .sort((a, b) => b.installations - a.installations || (a.slug < b.slug ? -1 : 1));
  const { id, plugin, version, state } = release;
  const others = (await registry.publishedVersions([plugin])).filter((each) => each.releaseId !== id);
  const ids = running.map((each) => each.id);
  return {
    release: { id, plugin, version, state },
    installations: running.length,
    invocationsPerDay: await store.invocationsSince(ids, new Date(nowMs() - DAY_MS)),
    operators: operators.slice(0, OPERATORS_SHOWN_MAX),
    operatorCount: operators.length,
    // What whoever follows a range gets next, before anything that breaks what they rely on.
    suggestedReplacement: (newestInRange(`^${version}`, others) ?? newestInRange('latest', others))?.version ?? null,
    digest: digestOf(release, running),
  };
}

const digestOf = ({ id }: Release, running: RunningInstallation[]): string =>
  createHash('sha256')
    .update([id, ...running.map((each) => each.id)].join('\n'))
    .digest('hex');
