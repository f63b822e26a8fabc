import type { Knex } from 'knex';
import type { StatisticsRange } from './contract.ts';

/** Counts of one day: of a release, or of a plugin as a whole. */
export interface DayRow {
  plugin: string;
  /** Null: the plugin as a whole. */
  releaseId: string | null;
  version: string | null;
  /** Such as `2026-11-22`. */
  day: string;
  views: number;
  installs: number;
  updates: number;
  uninstalls: number;
  active: number;
  operators: number;
  invocations: number;
  faults: number;
  durations: number[];
  capabilities: Record<string, { calls: number; refused: number; operators: number }>;
}

export interface StatisticsStore {
  /** Null where the database shows whoever asks no such plugin of theirs. */
  findPlugin(name: { publisher: string; name: string }): Promise<{ id: string; publisherId: string } | null>;
  ofPlugin(pluginId: string, range: StatisticsRange): Promise<DayRow[]>;
  /** Of every plugin of a publisher, each as a whole. */
  ofPublisher(slug: string, range: StatisticsRange): Promise<DayRow[]>;
  /** Names of a publisher's plugins that were ever published, in order. */
  pluginsOf(slug: string): Promise<string[]>;
  /** The last day of the range that was counted, and when. */
  lastCounted(range: StatisticsRange): Promise<{ day: string; at: Date } | null>;
}

const SUMS = ['views', 'installs', 'updates', 'uninstalls', 'active', 'operators', 'invocations', 'faults'] as const;

/** For whoever asks: the rows of others are not shown to them. */
export function statisticsStore(scoped: Knex): StatisticsStore {
  const rows = ({ from, to }: StatisticsRange) =>
    scoped('plugin_statistics as s')
      .join('plugins as p', 'p.id', 's.plugin_id')
      .join('organisations as o', 'o.id', 'p.organisation_id')
      .leftJoin('releases as r', 'r.id', 's.release_id')
      .whereBetween('s.day', [from, to])
      .orderBy('s.day')
      .select(
        scoped.raw(`o.slug || '/' || p.name as plugin`),
        { releaseId: 's.release_id', version: 'r.version' },
        scoped.raw(`to_char(s.day, 'YYYY-MM-DD') as day`),
        ...SUMS.map((name) => scoped.raw('s.??::double precision as ??', [name, name])),
        scoped.raw('s.durations::double precision[] as durations'),
        's.capabilities',
      );
  return {
    async findPlugin({ publisher, name }) {
      const row = await scoped('plugins as p')
        .join('organisations as o', 'o.id', 'p.organisation_id')
        .where({ 'o.slug': publisher, 'p.name': name })
        .first({ id: 'p.id', publisherId: 'o.id' });
      return row ?? null;
    },
    ofPlugin: (pluginId, range) => rows(range).where('s.plugin_id', pluginId),
    ofPublisher: (slug, range) => rows(range).where('o.slug', slug).whereNull('s.release_id'),
    pluginsOf: (slug) =>
      scoped('plugins as p')
        .join('organisations as o', 'o.id', 'p.organisation_id')
        .where('o.slug', slug)
        .whereNotNull('p.latest_release_id')
        .orderBy('p.name')
        .pluck('p.name'),
    async lastCounted({ from, to }) {
      const row = await scoped('statistics_days')
        .whereBetween('day', [from, to])
        .orderBy('day', 'desc')
        .first(scoped.raw(`to_char(day, 'YYYY-MM-DD') as day`), { at: 'counted_at' });
      return row ?? null;
    },
  };
}
