import type { Knex } from 'knex';
import type { CapabilityName, Json, Limits } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { type Conduct, GOOD_CONDUCT } from '../conduct/contract.ts';
import type { Installation } from './contract.ts';
import { InstallationModel } from './installation-model.ts';
import { readCursor, toPage } from './page.ts';

/** What of an installation may change. */
export type InstallationChange = Pick<Installation, 'releaseId' | 'grants' | 'config' | 'grantedLimits' | 'enabled'>;

export interface InstallationStore {
  byId(id: string): Promise<Installation | null>;
  bySlug(operatorId: string, slug: string): Promise<Installation | null>;
  page(operatorId: string, request: PageRequest): Promise<Page<Installation>>;
  /** False where the id or the operator's slug is taken; nothing is written then. */
  insert(installation: Installation): Promise<boolean>;
  /** Null where it is gone. */
  change(id: string, change: InstallationChange): Promise<Installation | null>;
  /** Marks it as deleted and removes its entries and its log. */
  remove(id: string): Promise<void>;
}

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
      .select(
        'installation.*',
        'operator.slug as operator_slug',
        'publisher.slug as publisher_slug',
        'plugin.name as plugin_name',
        'release.version as release_version',
        'release.bundle_digest as release_bundle_digest',
        'conduct.score as conduct_score',
        'conduct.scored_at as conduct_scored_at',
        'conduct.strikes as conduct_strikes',
        'conduct.solitary_since as conduct_solitary_since',
        'conduct.suspended_at as conduct_suspended_at',
        'conduct.reason as conduct_reason',
      )
      .whereNull('installation.deleted_at');
  const fromRow = (row: InstallationModel | undefined) => (row ? toInstallation(row, currentScore) : null);
  const byId = async (id: string) => fromRow(await rows().findOne({ 'installation.id': id }));

  return {
    byId,
    bySlug: async (operatorId, slug) =>
      fromRow(await rows().findOne({ 'installation.operator_id': operatorId, 'installation.slug': slug })),
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
    insert: async ({ id, slug, operator, enabled, ...changing }) => {
      const row = { id, slug, operator_id: operator.id, ...columns({ ...changing, enabled }) };
      const inserted = await database('installations').insert(row).onConflict().ignore().returning('id');
      return inserted.length === 1;
    },
    change: async (id, change) => {
      await database('installations').where({ id }).whereNull('deleted_at').update(columns(change));
      return byId(id);
    },
    remove: (id) =>
      database.transaction(async (transaction) => {
        await transaction('installations')
          .where({ id })
          .whereNull('deleted_at')
          .update({ deleted_at: transaction.fn.now() });
        await transaction('kv_entries').where({ installation_id: id }).delete();
        await transaction('installation_logs').where({ installation_id: id }).delete();
      }),
  };
}

const columns = ({ releaseId, grants, config, grantedLimits, enabled }: InstallationChange) => ({
  release_id: releaseId,
  grants,
  config: JSON.stringify(config),
  granted_limits: JSON.stringify(grantedLimits),
  enabled,
});

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
  conduct: toConduct(row, currentScore),
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
