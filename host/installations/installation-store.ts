import type { Knex } from 'knex';
import type { CapabilityName, Json, Limits } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { type Conduct, GOOD_CONDUCT } from '../conduct/contract.ts';
import { preparedQuery } from '../prepared-statement.ts';
import type { Updates } from '../rollouts/contract.ts';
import type { Installation } from './contract.ts';
import { InstallationModel } from './installation-model.ts';
import { readCursor, toPage } from './page.ts';

export interface InstallationStore {
  byId(id: string): Promise<Installation | null>;
  bySlug(operatorId: string, slug: string): Promise<Installation | null>;
  page(operatorId: string, request: PageRequest): Promise<Page<Installation>>;
  /** False where the id or the operator's slug is taken; nothing is written then. */
  insert(installation: Installation): Promise<boolean>;
  /** Removes at once and for good what is not installed to the end. Anything else stays. */
  remove(id: string): Promise<void>;
  /** One of the operator's that was removed; `purged`: what it stored is gone, or going. */
  removed(operatorId: string, id: string, nowMs: number): Promise<{ purged: boolean } | null>;
  /** Takes a removal back. False where the slug is taken meanwhile, or what it stored is gone, or going. */
  restore(operatorId: string, id: string, nowMs: number): Promise<boolean>;
  /** Ids of removed installations whose grace is over, and who are not purged; the first to be purged first. */
  toPurge(nowMs: number): Promise<string[]>;
  /**
   * Deletes a part of what one of them stored, in a short transaction of its own: it is purged when nothing is left. True where it has to
   * be called again; not where another host is at it.
   */
  purge(id: string, nowMs: number): Promise<boolean>;
}

/** What an installation stored, and what waits for it: it goes when the installation has gone for good. */
export const STORED_TABLES = [
  'kv_entries',
  'installation_secrets',
  'installation_logs',
  'recordings',
  'queue_messages',
  'event_deliveries',
  'installation_leases',
  'accepted_signings',
] as const;

const COLUMNS = [
  'id',
  'operator_id',
  'slug',
  'release_id',
  'grants',
  'config',
  'granted_limits',
  'enabled',
  'installing',
  'deleted_at',
  'created_at',
  'updated_at',
  'follows',
  'canary_percent',
  'promote_after_seconds',
  'delay_seconds',
  'revision',
  'purge_at',
];

/** What a score that was taken at `scoredAtMs` is worth now. */
export type CurrentScore = (taken: { score: number; scoredAtMs: number }) => number;

/** Installations in PostgreSQL; deleted ones stay as rows for the history, and no query here returns them. */
export function installationStore(database: Knex, currentScore: CurrentScore): InstallationStore {
  const rows = () =>
    InstallationModel.query(database)
      .alias('installation')
      .join('organisations as operator', 'operator.id', 'installation.operator_id')
      .join('releases as release', 'release.id', 'installation.release_id')
      .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
      .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
      .leftJoin('installation_conduct as conduct', 'conduct.installation_id', 'installation.id')
      .leftJoin('rollouts as canary', (join) =>
        join.on('canary.installation_id', 'installation.id').andOnVal('canary.state', 'canary'),
      )
      .leftJoin('releases as canary_release', 'canary_release.id', 'canary.to_release_id')
      .leftJoin('rollouts as waiting', (join) =>
        join.on('waiting.installation_id', 'installation.id').andOnVal('waiting.state', 'waiting'),
      )
      .leftJoin('releases as waiting_release', 'waiting_release.id', 'waiting.to_release_id')
      .select(
        ...COLUMNS.map((column) => `installation.${column}`),
        'operator.slug as operator_slug',
        'publisher.slug as publisher_slug',
        'plugin.name as plugin_name',
        'release.version as release_version',
        'release.bundle_digest as release_bundle_digest',
        'release.blocked as release_blocked',
        'conduct.score as conduct_score',
        'conduct.scored_at as conduct_scored_at',
        'conduct.strikes as conduct_strikes',
        'conduct.solitary_since as conduct_solitary_since',
        'conduct.suspended_at as conduct_suspended_at',
        'conduct.reason as conduct_reason',
        'canary.id as canary_id',
        'canary.to_release_id as canary_release_id',
        'canary.percent as canary_share',
        'canary.started_at as canary_started_at',
        'canary.promote_after_seconds as canary_promote_after_seconds',
        'canary_release.version as canary_version',
        'waiting.id as waiting_id',
        'waiting.to_release_id as waiting_release_id',
        'waiting.started_at as waiting_since',
        'waiting.reason as waiting_reason',
        'waiting_release.version as waiting_version',
      )
      .whereNull('installation.deleted_at');
  const fromRow = (row: InstallationModel | undefined) => (row ? toInstallation(row, currentScore) : null);
  // The first call of an installation waits for it, and to plan so many joins takes longer than to carry them out.
  const selectBySlug = preparedQuery<InstallationModel>(
    database,
    'installation-by-slug',
    rows().where({ 'installation.operator_id': ':operatorId', 'installation.slug': ':slug' }).toKnexQuery(),
  );
  const byId = async (id: string) => fromRow(await rows().findOne({ 'installation.id': id }));

  return {
    byId,
    bySlug: async (operatorId, slug) => fromRow((await selectBySlug({ operatorId, slug }))[0]),
    page: async (operatorId, { cursor, limit = 50 }) => {
      const found = await rows()
        .where('installation.operator_id', operatorId)
        .modify((query) => void (cursor !== undefined && query.where('installation.id', '>', readCursor(cursor))))
        .orderBy('installation.id')
        .limit(limit + 1);
      return toPage(
        found.map((row) => fromRow(row)!),
        limit,
      );
    },
    insert: async (installation) => {
      const { id, slug, operator, updates } = installation;
      const row = {
        id,
        slug,
        operator_id: operator.id,
        release_id: installation.releaseId,
        grants: installation.grants,
        config: JSON.stringify(installation.config),
        granted_limits: JSON.stringify(installation.grantedLimits),
        enabled: installation.enabled,
        installing: installation.installing,
        // Its end is the first change of it.
        revision: installation.installing ? 0 : 1,
        follows: updates.follows,
        canary_percent: updates.canaryPercent,
        promote_after_seconds: updates.promoteAfterSeconds,
        delay_seconds: updates.delaySeconds,
      };
      return (await database('installations').insert(row).onConflict().ignore().returning('id')).length === 1;
    },
    remove: (id) =>
      database.transaction(async (transaction) => {
        const deleted = { deleted_at: transaction.fn.now(), purge_at: null };
        const unfinished = transaction('installations').where({ id, installing: true }).whereNull('deleted_at');
        if ((await unfinished.update(deleted)) === 0) return;
        while (await deleteSome(transaction, id));
      }),
    removed: async (operatorId, id, nowMs) => {
      const row = await database('installations')
        .where({ id, operator_id: operatorId })
        .whereNotNull('deleted_at')
        .first('purge_at');
      return row ? { purged: row.purge_at === null || row.purge_at.getTime() <= nowMs } : null;
    },
    restore: async (operatorId, id, nowMs) => {
      const { rowCount } = await database.raw(
        `UPDATE installations AS removed SET deleted_at = NULL, purge_at = NULL, revision = revision + 1
         WHERE id = ? AND operator_id = ? AND deleted_at IS NOT NULL AND purge_at > ?
           AND NOT EXISTS (SELECT 1 FROM installations AS other
             WHERE other.operator_id = removed.operator_id AND other.slug = removed.slug AND other.deleted_at IS NULL)`,
        [id, operatorId, new Date(nowMs)],
      );
      return rowCount === 1;
    },
    toPurge: (nowMs) => due(database, nowMs).orderBy('purge_at').pluck('id'),
    purge: (id, nowMs) =>
      database.transaction(async (transaction) => {
        const [own] = await due(transaction, nowMs).where({ id }).forNoKeyUpdate().skipLocked().pluck('id');
        if (own === undefined) return false;
        if (await deleteSome(transaction, id)) return true;
        await transaction('installations').where({ id }).update({ purge_at: null });
        return false;
      }),
  };
}

const due = (database: Knex, nowMs: number) =>
  database('installations').whereNotNull('deleted_at').where('purge_at', '<=', new Date(nowMs));

/** Rows of one table that one statement deletes, so that none runs for long. */
export const DELETED_ROWS_MAX = 5_000;

const STORED: [table: string, where: string][] = [
  ...STORED_TABLES.map((table): [string, string] => [table, 'installation_id = ?']),
  ['rollout_samples', 'rollout_id IN (SELECT id FROM rollouts WHERE installation_id = ?)'],
];

/** Deletes some of what an installation stored. False where there was nothing. */
async function deleteSome(transaction: Knex, id: string): Promise<boolean> {
  let deleted = 0;
  for (const [table, where] of STORED) {
    const { rowCount } = await transaction.raw(
      `DELETE FROM ?? WHERE ctid IN (SELECT ctid FROM ?? WHERE ${where} LIMIT ${DELETED_ROWS_MAX})`,
      [table, table, id],
    );
    deleted += rowCount;
  }
  return deleted > 0;
}

const toInstallation = (row: InstallationModel, currentScore: CurrentScore): Installation => ({
  id: row.id,
  slug: row.slug,
  operator: { id: row.operator_id, slug: row.operator_slug },
  plugin: `${row.publisher_slug}/${row.plugin_name}`,
  version: row.release_version,
  releaseId: row.release_id,
  bundleDigest: row.release_bundle_digest,
  grants: row.grants as CapabilityName[],
  config: row.config as Json,
  grantedLimits: row.granted_limits as Partial<Limits>,
  enabled: row.enabled,
  installing: row.installing,
  blocked: row.release_blocked,
  conduct: toConduct(row, currentScore),
  updates: toUpdates(row),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

function toConduct(row: InstallationModel, currentScore: CurrentScore): Conduct {
  const { conduct_score: score, conduct_scored_at: scoredAt } = row;
  if (score === null || scoredAt === null) return GOOD_CONDUCT;
  return {
    score: Math.round(currentScore({ score, scoredAtMs: scoredAt.getTime() }) * 1_000) / 1_000,
    strikes: row.conduct_strikes ?? 0,
    solitarySince: row.conduct_solitary_since?.toISOString() ?? null,
    suspendedAt: row.conduct_suspended_at?.toISOString() ?? null,
    reason: row.conduct_reason,
  };
}

function toUpdates(row: InstallationModel): Updates {
  return {
    follows: row.follows,
    canaryPercent: row.canary_percent,
    promoteAfterSeconds: row.promote_after_seconds,
    delaySeconds: row.delay_seconds,
    canary:
      row.canary_id === null
        ? null
        : {
            rolloutId: row.canary_id,
            releaseId: row.canary_release_id!,
            version: row.canary_version!,
            percent: row.canary_share!,
            startedAt: row.canary_started_at!.toISOString(),
            promoteAfterSeconds: row.canary_promote_after_seconds,
          },
    waiting:
      row.waiting_id === null
        ? null
        : {
            rolloutId: row.waiting_id,
            releaseId: row.waiting_release_id!,
            version: row.waiting_version!,
            since: row.waiting_since!.toISOString(),
            reason: row.waiting_reason!,
          },
  };
}
