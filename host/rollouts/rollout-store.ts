import type { Knex } from 'knex';
import type { CapabilityName, Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { readCursor, toPage } from '../installations/page.ts';
import type { CanaryTerms, Rollout, RolloutCause, RolloutState } from './contract.ts';
import type { ArmSample } from './rules/judge-canary.ts';

/** What a release looked like when it was left by the last rollout to another one. */
export interface LeftRelease {
  releaseId: string;
  grants: CapabilityName[];
  config: Json;
}

export interface RolloutStore {
  /** Newest first. */
  page(installationId: string, request: PageRequest): Promise<Page<Rollout>>;
  canaryOf(installationId: string): Promise<CanaryTerms | null>;
  /** Installations that have a canary now. */
  withCanary(): Promise<string[]>;
  samplesOf(rolloutId: string): Promise<{ stable: ArmSample; canary: ArmSample }>;
  /** The release that the present one took over from, or a named one as it was when it was left; null where there is none. */
  lastLeft(
    installationId: string,
    by: { presentReleaseId: string } | { releaseId: string },
  ): Promise<LeftRelease | null>;
  /** Releases that ran for all callers: their operator has consented to them. */
  ranBefore(installationId: string): Promise<Set<string>>;
  /** What the policy must not choose: dropped canaries, releases that were rolled back from, and what failed since the last change. */
  avoided(installationId: string): Promise<Set<string>>;
  /** What of a release's weaker signing its operator has accepted. */
  acceptedWeaknesses(installationId: string, releaseId: string): Promise<string[]>;
  /** Installations that follow a range and may be updated now; of one plugin (by a release of it) or of all. */
  following(releaseId?: string): Promise<Following[]>;
}

export interface Following {
  installationId: string;
  plugin: string;
  version: string;
  follows: string;
  delaySeconds: number;
  /** The release that waits for consent, if one does. */
  waitingId: string | null;
}

const TERMS = {
  rolloutId: 'id',
  fromReleaseId: 'from_release_id',
  toReleaseId: 'to_release_id',
  percent: 'percent',
  promoteAfterSeconds: 'promote_after_seconds',
  grants: 'grants',
  fromGrants: 'from_grants',
  config: 'config',
  startedAt: 'started_at',
};

export function rolloutStore(database: Knex): RolloutStore {
  return {
    page: async (installationId, { cursor, limit = 50 }) => {
      const rows = await database('rollouts')
        .join('releases as older', 'older.id', 'rollouts.from_release_id')
        .join('releases as newer', 'newer.id', 'rollouts.to_release_id')
        .where('rollouts.installation_id', installationId)
        .modify((query) => void (cursor !== undefined && query.where('rollouts.id', '<', readCursor(cursor))))
        .orderBy('rollouts.id', 'desc')
        .limit(limit + 1)
        .select('rollouts.*', 'older.version as from_version', 'newer.version as to_version');
      return toPage(rows.map(toRollout), limit);
    },
    canaryOf: async (installationId) => {
      const row = await database('rollouts').where({ installation_id: installationId, state: 'canary' }).first(TERMS);
      return row ? { ...row, startedAt: row.startedAt.toISOString() } : null;
    },
    withCanary: () => database('rollouts').where({ state: 'canary' }).orderBy('id').pluck('installation_id'),
    samplesOf: async (rolloutId) => {
      const rows: { arm: string; bucket: number; calls: string }[] = await database('rollout_samples')
        .where({ rollout_id: rolloutId })
        .select('arm', 'bucket', 'calls');
      const sampleOf = (arm: string) => toSample(rows.filter((row) => row.arm === arm));
      return { stable: sampleOf('stable'), canary: sampleOf('canary') };
    },
    lastLeft: async (installationId, by) => {
      const done = database('rollouts').where({ installation_id: installationId, state: 'done' });
      const which =
        'releaseId' in by
          ? done.where({ from_release_id: by.releaseId })
          : // Who goes back twice must not come forward again to what was left the first time.
            done
              .where({ to_release_id: by.presentReleaseId })
              .whereRaw("facts ->> 'event' IS DISTINCT FROM 'rolled-back'");
      const row = await which
        .orderBy('id', 'desc')
        .first({ releaseId: 'from_release_id', grants: 'from_grants', config: 'from_config' });
      return row ?? null;
    },
    ranBefore: async (installationId) => {
      const rows = await database('rollouts')
        .where({ installation_id: installationId, state: 'done' })
        .select('from_release_id', 'to_release_id');
      return new Set(rows.flatMap((row) => [row.from_release_id, row.to_release_id]));
    },
    avoided: async (installationId) => {
      const { rows } = await database.raw(
        `SELECT CASE WHEN rollout.state = 'done' THEN rollout.from_release_id ELSE rollout.to_release_id END AS id
         FROM rollouts AS rollout JOIN installations AS installation ON installation.id = rollout.installation_id
         WHERE rollout.installation_id = ? AND (
           rollout.state = 'rolled-back'
           OR (rollout.state = 'done' AND rollout.facts ->> 'event' = 'rolled-back')
           -- What the operator has changed since may be what it needed.
           OR (rollout.state = 'failed' AND rollout.ended_at >= installation.updated_at))`,
        [installationId],
      );
      return new Set(rows.map(({ id }: { id: string }) => id));
    },
    acceptedWeaknesses: async (installationId, releaseId) =>
      (
        await database('accepted_signings')
          .where({ installation_id: installationId, release_id: releaseId })
          .first('weaknesses')
      )?.weaknesses ?? [],
    following: async (releaseId) => {
      const { rows } = await database.raw(
        `SELECT installation.id AS "installationId", publisher.slug || '/' || plugin.name AS plugin,
           release.version, installation.follows, installation.delay_seconds AS "delaySeconds", waiting.to_release_id AS "waitingId"
         FROM installations AS installation
         JOIN releases AS release ON release.id = installation.release_id
         JOIN plugins AS plugin ON plugin.id = release.plugin_id
         JOIN organisations AS publisher ON publisher.id = plugin.organisation_id
         LEFT JOIN installation_conduct AS conduct ON conduct.installation_id = installation.id
         LEFT JOIN rollouts AS waiting ON waiting.installation_id = installation.id AND waiting.state = 'waiting'
         WHERE installation.follows IS NOT NULL AND installation.deleted_at IS NULL AND installation.enabled
           AND conduct.suspended_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM rollouts WHERE rollouts.installation_id = installation.id AND state = 'canary')
           AND (CAST(:releaseId AS uuid) IS NULL
             OR plugin.id = (SELECT plugin_id FROM releases WHERE id = CAST(:releaseId AS uuid)))
         ORDER BY installation.id`,
        { releaseId: releaseId ?? null },
      );
      return rows;
    },
  };
}

/** The bucket under which errors are counted. */
export const ERRORS_BUCKET = -1;

export function toSample(rows: { bucket: number; calls: string }[]): ArmSample {
  const durations: number[] = [];
  let [calls, errors] = [0, 0];
  for (const { bucket, calls: text } of rows) {
    const count = Number(text);
    calls += count;
    if (bucket === ERRORS_BUCKET) errors += count;
    else durations[bucket] = count;
  }
  return { calls, errors, durations };
}

const toRollout = (row: Record<string, unknown>): Rollout => ({
  id: row.id as string,
  fromVersion: row.from_version as string,
  toVersion: row.to_version as string,
  state: row.state as RolloutState,
  cause: row.cause as RolloutCause,
  percent: row.percent as number,
  promoteAfterSeconds: row.promote_after_seconds as number | null,
  startedAt: (row.started_at as Date).toISOString(),
  endedAt: (row.ended_at as Date | null)?.toISOString() ?? null,
  reason: row.reason as string,
  facts: row.facts as Json,
});
