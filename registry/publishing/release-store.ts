import type { Knex } from 'knex';
import type { DsseEnvelope } from '../../plugins-sdk/contract/index.ts';
import type { Provenance, Release, ReleaseNotice, ReleaseState } from '../contract.ts';
import { lookOf } from '../rules/look-alikes.ts';
import { RUNNABLE_STATES } from '../rules/runnable-release.ts';
import { stoppedStagings } from '../stopped-stagings.ts';
import { PluginModel, ReleaseModel } from './release-model.ts';

/** A release as the registry works with it: with its plugin's and publisher's ids. */
export interface StoredRelease {
  release: Release;
  pluginId: string;
  publisherId: string;
  publisherSlug: string;
  pluginName: string;
}

export interface NewRelease {
  id: string;
  pluginId: string;
  version: string;
  /** Whether it is scanned before it is reviewed. */
  state: 'scanning' | 'in-review';
  manifest: Release['manifest'];
  digest: string;
  bundleDigest: string;
  bundleBytes: number;
  envelope: DsseEnvelope;
  provenance: Provenance | null;
  archive: Buffer;
}

export interface ImportedRelease extends Omit<NewRelease, 'state' | 'archive'> {
  state: ReleaseState;
  deprecated: ReleaseNotice | null;
  origin: NonNullable<Release['origin']>;
  createdAt: Date;
  reviewedAt: Date;
}

export interface ReleaseFilter {
  publisher?: string;
  name?: string;
  state?: ReleaseState;
  /** Others' releases are left out unless they are published. */
  visibleTo?: string;
  /** Only releases older than this one. */
  beforeId: string | null;
  count: number;
}

/** Everything but `archive` is one row of `releases` with its names. Methods called `lock…` need a transaction. */
export interface ReleaseStore {
  /** The plugin's id, made where it is missing; null where another one looks the same. Held until the end of the transaction: publishes and reviews of one plugin take turns. */
  lockPlugin(plugin: { id: string; organisationId: string; publisher: string; name: string }): Promise<string | null>;
  lockPluginById(id: string): Promise<void>;
  /** All of a publisher, always in the same order. */
  lockPluginsOf(organisationId: string): Promise<void>;
  /** Null where there is none, or nothing of it may be seen. */
  pluginId(name: { publisher: string; name: string }): Promise<string | null>;
  insert(release: NewRelease): Promise<void>;
  /** As it came from another registry. */
  insertImported(release: ImportedRelease, archive: Buffer): Promise<void>;
  findById(id: string): Promise<StoredRelease | null>;
  findByVersion(pluginId: string, version: string): Promise<StoredRelease | null>;
  findByName(name: { publisher: string; name: string; version?: string }): Promise<StoredRelease | null>;
  /** Newest first. */
  list(filter: ReleaseFilter): Promise<StoredRelease[]>;
  /** Releases that may run with this bundle, newest first, at most 20; with `releaseId` that one alone. */
  listByBundle(bundleDigest: string, releaseId?: string): Promise<StoredRelease[]>;
  archiveOf(releaseId: string): Promise<Buffer>;
  saveReview(
    releaseId: string,
    review: { state: ReleaseState; envelope: DsseEnvelope; reasons: string[]; reviewedAt: Date },
  ): Promise<void>;
  saveNotice(
    releaseId: string,
    notice: {
      state?: ReleaseState;
      yanked?: ReleaseNotice | null;
      deprecated?: ReleaseNotice | null;
      blocked?: Release['blocked'];
    },
  ): Promise<void>;
  /** Blocks those of the publisher that this key signed and that came from then on; ids and names of those that were not blocked yet. */
  blockSignedBy(
    organisationId: string,
    key: { keyId: string; since: Date },
    blocked: NonNullable<Release['blocked']>,
  ): Promise<{ id: string; pluginId: string }[]>;
  saveListed(pluginId: string, unlistedAt: Date | null): Promise<void>;
  /** `isStopped`: its staging was stopped, by its publisher or by what it answered. */
  listPublishedVersions(pluginId: string): Promise<{ id: string; version: string; isStopped: boolean }[]>;
  saveLatest(pluginId: string, releaseId: string | null): Promise<void>;
}

type Row = ReleaseModel & { pluginName: string; publisherId: string; publisherSlug: string };

export function createReleaseStore(database: Knex): ReleaseStore {
  const select = () =>
    ReleaseModel.query(database)
      .join('plugins', 'plugins.id', 'releases.plugin_id')
      .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
      .select(
        'releases.*',
        'plugins.name as plugin_name',
        'publishers.id as publisher_id',
        'publishers.slug as publisher_slug',
      )
      .castTo<Row[]>();
  const first = (rows: Row[]): StoredRelease | null => (rows[0] ? storedOf(rows[0]) : null);
  return {
    async lockPlugin({ id, organisationId, publisher, name }) {
      const locked = () =>
        PluginModel.query(database).findOne({ organisation_id: organisationId, name }).forNoKeyUpdate();
      // Whoever reviews may lock a plugin, but not make one.
      const present = await locked();
      if (present) return present.id;
      await database('plugins')
        .insert({ id, organisation_id: organisationId, name, look: lookOf({ publisher, name }) })
        .onConflict()
        .ignore();
      return (await locked())?.id ?? null;
    },
    async lockPluginById(id) {
      await PluginModel.query(database).findById(id).forNoKeyUpdate();
    },
    async lockPluginsOf(organisationId) {
      await PluginModel.query(database).where({ organisation_id: organisationId }).orderBy('id').forNoKeyUpdate();
    },
    pluginId: async ({ publisher, name }) =>
      (
        await database('plugins')
          .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
          .where({ 'publishers.slug': publisher, 'plugins.name': name })
          .first('plugins.id')
      )?.id ?? null,
    async insert({ archive, ...release }) {
      await ReleaseModel.query(database).insert(release);
      await database('release_artifacts').insert({ release_id: release.id, archive });
    },
    async insertImported(release, archive) {
      await ReleaseModel.query(database).insert(release);
      await database('release_artifacts').insert({ release_id: release.id, archive });
    },
    findById: async (id) => first(await select().where('releases.id', id)),
    findByVersion: async (pluginId, version) =>
      first(await select().where({ 'releases.plugin_id': pluginId, 'releases.version': version })),
    async findByName({ publisher, name, version }) {
      const named = select().where({ 'publishers.slug': publisher, 'plugins.name': name });
      return first(
        await (version === undefined
          ? named.whereColumn('releases.id', 'plugins.latest_release_id')
          : named.where('releases.version', version)),
      );
    },
    async list({ publisher, name, state, visibleTo, beforeId, count }) {
      const query = select().orderBy('releases.id', 'desc').limit(count);
      if (publisher !== undefined) query.where('publishers.slug', publisher);
      if (name !== undefined) query.where('plugins.name', name);
      if (state !== undefined) query.where('releases.state', state);
      if (beforeId !== null) query.where('releases.id', '<', beforeId);
      if (visibleTo !== undefined) {
        query.where((either) => either.where('publishers.slug', visibleTo).orWhere('releases.state', 'published'));
      }
      return (await query).map(storedOf);
    },
    async listByBundle(bundleDigest, releaseId) {
      const rows = await select()
        .where('releases.bundle_digest', bundleDigest)
        .whereIn('releases.state', RUNNABLE_STATES)
        .whereNull('releases.blocked')
        .modify((query) => {
          if (releaseId !== undefined) query.where('releases.id', releaseId);
        })
        .orderBy('releases.id', 'desc')
        .limit(20);
      return rows.map(storedOf);
    },
    async archiveOf(releaseId) {
      const row = await database('release_artifacts').where('release_id', releaseId).first('archive');
      return row.archive;
    },
    async saveReview(releaseId, review) {
      await ReleaseModel.query(database).findById(releaseId).patch(review);
    },
    async saveNotice(releaseId, notice) {
      await ReleaseModel.query(database).findById(releaseId).patch(notice);
    },
    async blockSignedBy(organisationId, { keyId, since }, blocked) {
      const rows = await database('releases')
        .where({ organisation_id: organisationId, blocked: null })
        .whereNot('state', 'in-review')
        .where('created_at', '>=', since)
        .whereRaw(`envelope -> 'signatures' @> ?::jsonb`, [JSON.stringify([{ keyid: keyId }])])
        .update({ blocked: JSON.stringify(blocked) })
        .returning(['id', 'plugin_id']);
      return rows.map((row) => ({ id: row.id, pluginId: row.plugin_id }));
    },
    async saveListed(pluginId, unlistedAt) {
      await PluginModel.query(database).findById(pluginId).patch({ unlistedAt });
    },
    listPublishedVersions: (pluginId) =>
      database('releases')
        .where({ plugin_id: pluginId, state: 'published', blocked: null })
        .select('id', 'version', database.raw('exists ? as "isStopped"', [stoppedStagings(database)])),
    async saveLatest(pluginId, latestReleaseId) {
      await PluginModel.query(database).findById(pluginId).patch({ latestReleaseId });
    },
  };
}

const storedOf = (row: Row): StoredRelease => ({
  pluginId: row.pluginId,
  publisherId: row.publisherId,
  publisherSlug: row.publisherSlug,
  pluginName: row.pluginName,
  release: {
    id: row.id,
    plugin: `${row.publisherSlug}/${row.pluginName}`,
    version: row.version,
    state: row.state,
    manifest: row.manifest,
    digest: row.digest,
    bundleDigest: row.bundleDigest,
    bundleBytes: row.bundleBytes,
    envelope: row.envelope,
    reasons: row.reasons,
    createdAt: row.createdAt.toISOString(),
    reviewedAt: row.reviewedAt?.toISOString() ?? null,
    yanked: row.yanked,
    deprecated: row.deprecated,
    blocked: row.blocked,
    provenance: row.provenance,
    origin: row.origin,
  },
});
