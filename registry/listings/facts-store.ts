import type { Knex } from 'knex';
import { stoppedStagings } from '../stopped-stagings.ts';
import type { ListedVersion, Trust } from './contract.ts';
import { OPERATORS_MIN } from './rules/health.ts';

export interface ListingFacts {
  pluginId: string;
  publisherName: string;
  latestVersion: string | null;
  scan: Trust['scan'];
  review: Trust['review'];
  logPosition: number | null;
  versions: ListedVersion[];
}

export interface Figures {
  invocations: number;
  faults: number;
  /** Answers by bucket of duration. */
  durations: number[];
  installations: number;
  suspended: number;
  operators: number;
  updatedAt: string | null;
}

export interface FactsStore {
  versionOfTag(plugin: { publisher: string; name: string }, tag: string): Promise<string | null>;
  factsOf(releaseId: string, statement: string): Promise<ListingFacts>;
  figuresOf(pluginId: string): Promise<Figures>;
}

const VERSIONS_MAX = 50;
const DAYS = 30;

/** What the platform knows of plugins and releases beside the releases themselves, whoever asks. */
export function createFactsStore(database: Knex): FactsStore {
  const versionsOf = async (pluginId: string): Promise<ListedVersion[]> => {
    const rows = await database('releases')
      .where({ plugin_id: pluginId })
      .whereIn('state', ['published', 'deprecated', 'yanked'])
      .whereNull('blocked')
      .orderBy('reviewed_at', 'desc')
      .limit(VERSIONS_MAX)
      .select('version', 'reviewed_at', 'deprecated', 'yanked')
      .select({
        halted: database.raw('exists ?', [stoppedStagings(database)]),
        tags: database.raw('array(select tag from dist_tags where dist_tags.release_id = releases.id order by tag)'),
      });
    return rows.map(({ version, reviewed_at: at, deprecated, yanked, tags, halted }) => ({
      version,
      publishedAt: at.toISOString(),
      tags,
      deprecated: deprecated !== null,
      yanked: yanked !== null,
      halted,
    }));
  };
  return {
    versionOfTag: async ({ publisher, name }, tag) =>
      (
        await database('dist_tags')
          .join('releases', 'releases.id', 'dist_tags.release_id')
          .join('plugins', 'plugins.id', 'dist_tags.plugin_id')
          .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
          .where({ 'publishers.slug': publisher, 'plugins.name': name, tag })
          .first('releases.version')
      )?.version ?? null,
    async factsOf(releaseId, statement) {
      const of = await database('releases')
        .join('plugins', 'plugins.id', 'releases.plugin_id')
        .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
        .leftJoin('releases as newest', 'newest.id', 'plugins.latest_release_id')
        .where('releases.id', releaseId)
        .first({ pluginId: 'plugins.id', publisherName: 'publishers.name', latestVersion: 'newest.version' });
      const scan = await database('release_scans').where({ release_id: releaseId }).whereNotNull('finished_at').first();
      const rounds = await database('release_reviews')
        .where({ release_id: releaseId })
        .whereNotNull('decided_at')
        .orderBy('decided_at', 'desc')
        .select('decided_at', 'automatic', 'decision');
      const approved = rounds.find(({ decision }) => decision === 'approve');
      const logged = await database('transparency_entries as e')
        .join('transparency_leaves as l', 'l.entry_id', 'e.id')
        .where({ event: 'release.approve', release: statement })
        .orderBy('l.position', 'desc')
        .first('l.position');
      return {
        ...of,
        scan: scan
          ? { verdict: scan.verdict, at: scan.finished_at.toISOString(), findings: countSeverities(scan.report) }
          : null,
        review: approved
          ? { at: approved.decided_at.toISOString(), rounds: rounds.length, automatic: approved.automatic }
          : null,
        logPosition: logged ? Number(logged.position) : null,
        versions: await versionsOf(of.pluginId),
      };
    },
    async figuresOf(pluginId) {
      const used = await database('plugin_statistics')
        .where({ plugin_id: pluginId, release_id: null })
        .where('operators', '>=', OPERATORS_MIN)
        .whereRaw(`day > current_date - ${DAYS}`)
        .first({
          invocations: database.raw('coalesce(sum(invocations), 0)'),
          faults: database.raw('coalesce(sum(faults), 0)'),
          durations: database.raw('sum_arrays(durations)'),
        });
      const installed = await database('installations as i')
        .join('releases as r', 'r.id', 'i.release_id')
        .leftJoin('installation_conduct as c', 'c.installation_id', 'i.id')
        .where('r.plugin_id', pluginId)
        .whereNull('i.deleted_at')
        .first({
          installations: database.raw('count(*)'),
          suspended: database.raw('count(c.suspended_at)'),
        });
      const standing = await database('plugin_standing').where({ plugin_id: pluginId }).first('operators');
      const newest = await database('releases')
        .where({ plugin_id: pluginId, state: 'published' })
        .max({ at: 'reviewed_at' })
        .first();
      return {
        invocations: Number(used.invocations),
        faults: Number(used.faults),
        durations: (used.durations ?? []).map(Number),
        installations: Number(installed.installations),
        suspended: Number(installed.suspended),
        operators: standing?.operators ?? 0,
        updatedAt: newest?.at?.toISOString() ?? null,
      };
    },
  };
}

function countSeverities(report: { findings?: { severity: string }[] } | null): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { severity } of report?.findings ?? []) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}
