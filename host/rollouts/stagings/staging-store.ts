import type { Knex } from 'knex';
import { toSample } from '../rollout-store.ts';
import type { ArmSample } from '../rules/judge-canary.ts';
import type { SampleStore } from '../sample-store.ts';
import type { StagingPlan, StagingState } from './contract.ts';

/** A staging as it is stored, with its release where that is there. */
export interface StoredStaging extends StagingPlan {
  id: string;
  pluginId: string;
  plugin: string;
  publisherId: string;
  version: string;
  state: StagingState;
  stage: number;
  reason: string;
  beganAt: Date | null;
  stageAt: Date | null;
  endedAt: Date | null;
  revision: number;
  release: { id: string; digest: string; state: string; isBlocked: boolean } | null;
}

export type StagingMove = Partial<
  Pick<StoredStaging, 'percents' | 'everySeconds' | 'state' | 'stage' | 'reason' | 'beganAt' | 'stageAt' | 'endedAt'>
>;

export interface StagingStore {
  /** Null where the organisation has no such plugin. */
  pluginId(organisationId: string, name: string): Promise<string | null>;
  find(pluginId: string, version: string): Promise<StoredStaging | null>;
  /** Newest first. */
  list(pluginId: string): Promise<StoredStaging[]>;
  /** In one of these states; for the host's own work. */
  inState(...states: StagingState[]): Promise<StoredStaging[]>;
  /** Of plugins by name, whatever became of them. */
  ofPlugins(plugins: readonly string[]): Promise<StoredStaging[]>;
  /** Makes those who plan for one plugin take turns; returns how many of its stagings have not begun. */
  lockPlanned(pluginId: string): Promise<number>;
  /** False where the version has one. */
  insert(staging: { id: string; pluginId: string; version: string } & StagingPlan): Promise<boolean>;
  /** False where somebody else was faster. */
  move(staging: Pick<StoredStaging, 'id' | 'revision'>, change: StagingMove): Promise<boolean>;
}

const LISTED_MAX = 100;

export function stagingStore(database: Knex): StagingStore {
  const rows = () =>
    database('stagings as staging')
      .join('plugins as plugin', 'plugin.id', 'staging.plugin_id')
      .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
      .leftJoin('releases as release', (join) =>
        join.on('release.plugin_id', 'staging.plugin_id').andOn('release.version', 'staging.version'),
      )
      .select(
        'staging.*',
        'publisher.slug as publisher_slug',
        'publisher.id as publisher_id',
        'plugin.name as plugin_name',
        'release.id as release_id',
        'release.digest as release_digest',
        'release.state as release_state',
        'release.blocked as release_blocked',
      );
  return {
    pluginId: async (organisationId, name) =>
      (await database('plugins').where({ organisation_id: organisationId, name }).first('id'))?.id ?? null,
    find: async (pluginId, version) => {
      const row = await rows().where({ 'staging.plugin_id': pluginId, 'staging.version': version }).first();
      return row ? toStaging(row) : null;
    },
    list: async (pluginId) =>
      (await rows().where('staging.plugin_id', pluginId).orderBy('staging.id', 'desc').limit(LISTED_MAX)).map(
        toStaging,
      ),
    inState: async (...states) => (await rows().whereIn('staging.state', states).orderBy('staging.id')).map(toStaging),
    ofPlugins: async (plugins) =>
      plugins.length === 0
        ? []
        : (
            await rows().whereIn(
              ['publisher.slug', 'plugin.name'],
              plugins.map((plugin) => plugin.split('/') as [string, string]),
            )
          ).map(toStaging),
    lockPlanned: async (pluginId) => {
      await database.raw("select pg_advisory_xact_lock(hashtextextended('stagings ' || ?, 0))", [pluginId]);
      const planned = await database('stagings').where({ plugin_id: pluginId, state: 'planned' }).count().first();
      return Number(planned?.count ?? 0);
    },
    insert: async ({ id, pluginId, version, percents, everySeconds }) => {
      const row = { id, plugin_id: pluginId, version, percents, every_seconds: everySeconds };
      const inserted = await database('stagings')
        .insert(row)
        .onConflict(['plugin_id', 'version'])
        .ignore()
        .returning('id');
      return inserted.length === 1;
    },
    move: async ({ id, revision }, change) => {
      const columns = {
        percents: change.percents,
        every_seconds: change.everySeconds,
        state: change.state,
        stage: change.stage,
        reason: change.reason?.slice(0, REASON_CHARS_MAX),
        began_at: change.beganAt,
        stage_at: change.stageAt,
        ended_at: change.endedAt,
      };
      const set = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
      return (
        (await database('stagings')
          .where({ id, revision })
          .update({ ...set, revision: revision + 1 })) === 1
      );
    },
  };
}

const REASON_CHARS_MAX = 2_000;

const toStaging = (row: Record<string, unknown>): StoredStaging => ({
  id: row.id as string,
  pluginId: row.plugin_id as string,
  plugin: `${row.publisher_slug}/${row.plugin_name}`,
  publisherId: row.publisher_id as string,
  version: row.version as string,
  percents: row.percents as number[],
  everySeconds: row.every_seconds as number,
  state: row.state as StagingState,
  stage: row.stage as number,
  reason: row.reason as string,
  beganAt: row.began_at as Date | null,
  stageAt: row.stage_at as Date | null,
  endedAt: row.ended_at as Date | null,
  revision: row.revision as number,
  release:
    row.release_id === null
      ? null
      : {
          id: row.release_id as string,
          digest: row.release_digest as string,
          state: row.release_state as string,
          isBlocked: row.release_blocked !== null,
        },
});

/** What is counted and looked at over all operators: for the host alone. */
export interface StagingSampleStore extends SampleStore {
  of(stagingId: string): Promise<{ staged: ArmSample; earlier: ArmSample }>;
  clear(stagingId: string): Promise<void>;
  /** Releases of a plugin. */
  versions(pluginId: string): Promise<{ id: string; version: string }[]>;
  counts(staging: Pick<StoredStaging, 'pluginId' | 'release'>): Promise<{
    following: number;
    taken: number;
    operators: number;
  }>;
  /** Operators that run a release, with the slugs of their installations. */
  takers(releaseId: string): Promise<{ operatorId: string; slugs: string[] }[]>;
  /** Installations that took a release by their policy, as their own or as a canary, but those that could not go back as they are. */
  tookByPolicy(releaseId: string): Promise<{ installationId: string; isCanary: boolean }[]>;
}

/** The same columns as those of canaries, by other names: `canary` is what is staged, `stable` what was there before. */
export const stagingSampleStore = (system: Knex): StagingSampleStore => ({
  add: async (counts) => {
    await system.raw(
      `INSERT INTO staging_samples AS sample (staging_id, arm, bucket, calls)
       SELECT added."rolloutId", CASE added.arm WHEN 'canary' THEN 'staged' ELSE 'earlier' END, added.bucket, added.calls
       FROM json_to_recordset(:counts) AS added ("rolloutId" uuid, arm text, bucket smallint, calls bigint)
       WHERE EXISTS (SELECT 1 FROM stagings WHERE stagings.id = added."rolloutId")
       -- In one order on every host, so that two never wait for each other.
       ORDER BY 1, 2, 3
       ON CONFLICT (staging_id, arm, bucket) DO UPDATE SET calls = sample.calls + excluded.calls`,
      { counts: JSON.stringify(counts) },
    );
  },
  of: async (stagingId) => {
    const rows: { arm: string; bucket: number; calls: string }[] = await system('staging_samples')
      .where({ staging_id: stagingId })
      .select('arm', 'bucket', 'calls');
    const sampleOf = (arm: string) => toSample(rows.filter((row) => row.arm === arm));
    return { staged: sampleOf('staged'), earlier: sampleOf('earlier') };
  },
  clear: async (stagingId) => {
    await system('staging_samples').where({ staging_id: stagingId }).delete();
  },
  versions: (pluginId) => system('releases').where({ plugin_id: pluginId }).select('id', 'version'),
  counts: async ({ pluginId, release }) => {
    const { rows } = await system.raw(
      `SELECT count(*) FILTER (WHERE installation.follows IS NOT NULL) AS following,
         count(*) FILTER (WHERE installation.release_id = :release) AS taken,
         count(DISTINCT installation.operator_id) FILTER (WHERE installation.release_id = :release) AS operators
       FROM installations AS installation JOIN releases AS release ON release.id = installation.release_id
       WHERE release.plugin_id = :pluginId AND installation.deleted_at IS NULL`,
      { pluginId, release: release?.id ?? null },
    );
    const [{ following, taken, operators }] = rows;
    return { following: Number(following), taken: Number(taken), operators: Number(operators) };
  },
  takers: async (releaseId) => {
    const { rows } = await system.raw(
      `SELECT operator_id AS "operatorId", array_agg(slug ORDER BY slug) AS slugs FROM installations AS installation
       WHERE deleted_at IS NULL AND (release_id = :releaseId OR EXISTS (SELECT 1 FROM rollouts
         WHERE rollouts.installation_id = installation.id AND state = 'canary' AND to_release_id = :releaseId))
       GROUP BY operator_id ORDER BY operator_id`,
      { releaseId },
    );
    return rows;
  },
  tookByPolicy: async (releaseId) => {
    const { rows } = await system.raw(
      `SELECT installation.id AS "installationId", rollout.state = 'canary' AS "isCanary"
       FROM installations AS installation
       -- The last that led to it.
       JOIN LATERAL (SELECT cause, state FROM rollouts WHERE installation_id = installation.id
         AND to_release_id = :releaseId AND state IN ('done', 'canary') ORDER BY id DESC LIMIT 1) AS rollout ON true
       WHERE installation.deleted_at IS NULL AND installation.follows IS NOT NULL AND rollout.cause = 'policy'
         AND (installation.release_id = :releaseId OR rollout.state = 'canary')
         -- What its operator has changed since may be what it needed.
         AND NOT EXISTS (SELECT 1 FROM rollouts AS failed WHERE failed.installation_id = installation.id
           AND failed.from_release_id = :releaseId AND failed.state = 'failed' AND failed.facts ->> 'goesBack' = 'true'
           AND failed.ended_at >= installation.updated_at)
       ORDER BY installation.id`,
      { releaseId },
    );
    return rows;
  },
});
