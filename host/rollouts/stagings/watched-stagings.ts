import { compareVersions } from '../../../registry/index.ts';
import type { InstallationFacts } from '../../installations/contract.ts';
import { type SampleMeter, sampleMeter } from '../sample-meter.ts';
import type { StagingSampleStore, StagingStore } from './staging-store.ts';

/** Which stagings are rolling, in memory, so that a call costs the look-up of its plugin's name. */
export interface WatchedStagings {
  isStaged(plugin: string): boolean;
  /** `durationMs` is null for a call that failed. */
  count(installation: Pick<InstallationFacts, 'plugin' | 'releaseId'>, durationMs: number | null): void;
  /** Writes what was counted, and looks anew which are rolling. */
  refresh(): Promise<void>;
  flush: SampleMeter['flush'];
}

interface Watched {
  id: string;
  releaseId: string;
  /** Releases of the plugin that are older. */
  earlier: ReadonlySet<string>;
}

export function watchedStagings({
  store,
  samples,
}: {
  store: Pick<StagingStore, 'inState'>;
  samples: Pick<StagingSampleStore, 'add' | 'versions'>;
}): WatchedStagings {
  const meter = sampleMeter(samples);
  let watched: ReadonlyMap<string, readonly Watched[]> = new Map();
  return {
    isStaged: (plugin) => watched.has(plugin),
    count: ({ plugin, releaseId }, durationMs) => {
      for (const { id, releaseId: staged, earlier } of watched.get(plugin) ?? []) {
        if (releaseId === staged) meter.add(id, 'canary', durationMs);
        else if (earlier.has(releaseId)) meter.add(id, 'stable', durationMs);
      }
    },
    refresh: async () => {
      await meter.flush();
      const rolling = await store.inState('rolling');
      const found = await Promise.all(
        rolling.map(async ({ id, plugin, pluginId, version, release }) => {
          const older = (await samples.versions(pluginId)).filter((each) => compareVersions(each.version, version) < 0);
          return { plugin, id, releaseId: release?.id ?? '', earlier: new Set(older.map((each) => each.id)) };
        }),
      );
      watched = Map.groupBy(found, ({ plugin }) => plugin);
    },
    flush: meter.flush,
  };
}
