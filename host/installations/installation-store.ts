import type { Knex } from 'knex';
import type { CapabilityName, Json, Limits } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import type { Installation } from './contract.ts';
import { InstallationModel, type InstallationRow } from './installation-model.ts';

export interface InstallationStore {
  byId(id: string): Promise<Installation | null>;
  bySlug(operatorId: string, slug: string): Promise<Installation | null>;
  page(operatorId: string, request: PageRequest): Promise<Page<Installation>>;
  /** All enabled ones, for schedules. */
  enabled(): Promise<Installation[]>;
  /** False where the id or the operator's slug is taken; nothing is written then. */
  insert(installation: Installation): Promise<boolean>;
  /** Null where it is gone. */
  change(id: string, change: Partial<InstallationRow>): Promise<Installation | null>;
  /** Removes it together with its entries and logs. */
  remove(id: string): Promise<void>;
}

/** Installations in PostgreSQL. */
export function installationStore(database: Knex): InstallationStore {
  const rows = () => InstallationModel.query(database);
  const one = (row: InstallationModel | undefined) => (row ? fromRow(row) : null);
  return {
    byId: async (id) => one(await rows().findById(id)),
    bySlug: async (operatorId, slug) => one(await rows().findOne({ operator_id: operatorId, slug })),
    page: async (operatorId, { cursor, limit = 50 }) => {
      const found = await rows()
        .where({ operator_id: operatorId })
        .modify((query) => cursor !== undefined && query.where('id', '>', Buffer.from(cursor, 'base64url').toString()))
        .orderBy('id')
        .limit(limit + 1);
      const items = found.slice(0, limit).map(fromRow);
      const last = items.at(-1);
      return { items, nextCursor: last && found.length > limit ? Buffer.from(last.id).toString('base64url') : null };
    },
    enabled: async () => (await rows().where({ enabled: true })).map(fromRow),
    insert: async (installation) => {
      const inserted = await database('installations')
        .insert(columns(installation))
        .onConflict()
        .ignore()
        .returning('id');
      return inserted.length === 1;
    },
    change: async (id, change) => one(await rows().patchAndFetchById(id, change as Partial<InstallationModel>)),
    remove: async (id) => {
      await rows().deleteById(id);
    },
  };
}

const fromRow = (row: InstallationRow): Installation => ({
  id: row.id,
  slug: row.slug,
  operator: { id: row.operator_id, slug: row.operator_slug },
  plugin: row.plugin,
  version: row.version,
  releaseId: row.release_id,
  bundleDigest: row.bundle_digest,
  grants: row.grants as CapabilityName[],
  config: row.config as Json,
  grantedLimits: row.granted_limits as Partial<Limits>,
  enabled: row.enabled,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

const columns = (installation: Installation): Omit<InstallationRow, 'created_at' | 'updated_at'> => ({
  id: installation.id,
  operator_id: installation.operator.id,
  operator_slug: installation.operator.slug,
  slug: installation.slug,
  plugin: installation.plugin,
  version: installation.version,
  release_id: installation.releaseId,
  bundle_digest: installation.bundleDigest,
  grants: JSON.stringify(installation.grants),
  config: JSON.stringify(installation.config),
  granted_limits: JSON.stringify(installation.grantedLimits),
  enabled: installation.enabled,
});
