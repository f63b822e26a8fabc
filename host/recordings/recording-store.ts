import type { Knex } from 'knex';
import type { Page, PageRequest } from '../../registry/index.ts';
import type { AuditInstallation } from '../audit/installation-audit-store.ts';
import { readCursor, toPage } from '../installations/page.ts';
import type { RecordingEntry } from './contract.ts';
import { DEFAULT_RECORDING, type RecordingSettings, type Share } from './rules/settings.ts';

export type NewRecording = Omit<RecordingEntry, 'plugin' | 'version' | 'bundleDigest' | 'bytes'> & {
  /** gzip of the recording's JSON. */
  content: Buffer;
};

export interface RecordingStore {
  /** `dropped`: one with its id is there already, or the installation is gone. */
  add(
    recording: NewRecording,
    budget: Pick<RecordingSettings, 'countPerDay' | 'bytesPerDay'>,
  ): Promise<'stored' | 'dropped' | 'over-budget'>;
  /** Newest first; `failuresOnly` leaves out what completed. */
  page(installationId: string, request: PageRequest, failuresOnly: boolean): Promise<Page<RecordingEntry>>;
  byId(id: string): Promise<RecordingEntry | null>;
  content(id: string): Promise<Buffer | null>;
  remove(id: string): Promise<void>;
  /** Removes what is older or more than its installation keeps, and everything of installations that are gone. */
  prune(nowMs: number): Promise<void>;
  /** Of the installations that have settings of their own. */
  settings(): Promise<Map<string, RecordingSettings>>;
  settingsOf(installationId: string): Promise<RecordingSettings>;
  /** Changes what is given, whoever changes something else at the same time. */
  configure(installationId: string, change: Partial<RecordingSettings>): Promise<RecordingSettings>;
}

/** Recordings in PostgreSQL. */
/** `audit` writes who changes and who deletes; absent where only the host does. */
export function recordingStore(database: Knex, audit: AuditInstallation = async () => {}): RecordingStore {
  const rows = () =>
    database('recordings as recording')
      .join('releases as release', 'release.id', 'recording.release_id')
      .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
      .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
      .select(
        ...['id', 'installation_id', 'release_id', 'at', 'why', 'job', 'outcome', 'redacted', 'bytes'].map(
          (name) => `recording.${name}`,
        ),
        'release.version',
        'release.bundle_digest',
        'plugin.name as plugin_name',
        'publisher.slug as publisher_slug',
      );

  return {
    add: async ({ content, installationId, releaseId, ...entry }, budget) => {
      const { rows: found } = await database.raw<{ rows: { fits: boolean; stored: boolean }[] }>(
        `WITH room AS (
           SELECT installation.id, today.count < :countPerDay AND today.bytes + :bytes <= :bytesPerDay AS fits
           FROM installations AS installation,
             LATERAL (SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM recordings
               WHERE installation_id = installation.id AND why = :why
                 AND at >= date_trunc('day', :at::timestamptz, 'UTC')) AS today
           WHERE installation.id = :installationId AND installation.deleted_at IS NULL),
         added AS (
           INSERT INTO recordings (id, installation_id, release_id, at, why, job, outcome, redacted, content, bytes)
           SELECT :id, room.id, :releaseId, :at, :why, :job, :outcome, :redacted, :content, :bytes
           FROM room WHERE fits
           ON CONFLICT DO NOTHING RETURNING id)
         SELECT fits, EXISTS (SELECT FROM added) AS stored FROM room`,
        { ...entry, ...budget, installationId, releaseId, content, bytes: content.length },
      );
      if (found[0]?.fits === false) return 'over-budget';
      return found[0]?.stored ? 'stored' : 'dropped';
    },
    page: async (installationId, { cursor, limit = 50 }, failuresOnly) => {
      const found = await rows()
        .where('recording.installation_id', installationId)
        .modify((query) => {
          if (failuresOnly) query.whereNot('recording.outcome', 'completed');
          if (cursor !== undefined) query.where('recording.id', '<', readCursor(cursor));
        })
        .orderBy('recording.id', 'desc')
        .limit(limit + 1);
      return toPage(found.map(toEntry), limit);
    },
    byId: async (id) => {
      const row = await rows().where('recording.id', id).first();
      return row ? toEntry(row) : null;
    },
    content: async (id) => (await database('recordings').where({ id }).first('content'))?.content ?? null,
    remove: (id) =>
      database.transaction(async (transaction) => {
        const [row] = await transaction('recordings').where({ id }).delete().returning('installation_id');
        if (row === undefined) return;
        await audit(transaction, { installationId: row.installation_id, action: 'recording.remove', before: { id } });
      }),
    prune: async (nowMs) => {
      await database.raw(
        `DELETE FROM recordings USING (
           SELECT recording.id, installation.deleted_at, recording.at,
             sum(recording.bytes) OVER (PARTITION BY recording.installation_id ORDER BY recording.id DESC) AS held,
             coalesce(settings.keep_days, :keepDays) AS keep_days, coalesce(settings.keep_bytes, :keepBytes) AS keep_bytes
           FROM recordings AS recording
           JOIN installations AS installation ON installation.id = recording.installation_id
           LEFT JOIN recording_settings AS settings ON settings.installation_id = recording.installation_id) AS found
         WHERE recordings.id = found.id AND (found.deleted_at IS NOT NULL OR found.held > found.keep_bytes
           OR found.at < :now::timestamptz - make_interval(days => found.keep_days))`,
        { now: new Date(nowMs), keepDays: DEFAULT_RECORDING.keepDays, keepBytes: DEFAULT_RECORDING.keepBytes },
      );
    },
    settings: async () => {
      const found: SettingsRow[] = await database('recording_settings as settings')
        .join('installations as installation', 'installation.id', 'settings.installation_id')
        .whereNull('installation.deleted_at')
        .select('settings.*');
      return new Map(found.map((row) => [row.installation_id, toSettings(row)]));
    },
    settingsOf: async (installationId) => {
      const row = await database('recording_settings').where({ installation_id: installationId }).first();
      return row ? toSettings(row) : DEFAULT_RECORDING;
    },
    configure: (installationId, change) =>
      database.transaction(async (transaction) => {
        const own = { installation_id: installationId };
        const [row] = await transaction('recording_settings')
          .insert({ ...own, ...toColumns({ ...DEFAULT_RECORDING, ...change }) })
          .onConflict('installation_id')
          .merge({ ...toColumns(change), ...own })
          .returning('*');
        await audit(transaction, { installationId, action: 'recording.configure', after: { ...change } });
        return toSettings(row);
      }),
  };
}

interface SettingsRow {
  installation_id: string;
  failures: boolean;
  sample_rate: number;
  count_per_day: number;
  /** PostgreSQL's bigint comes as text. */
  bytes_per_day: string;
  keep_days: number;
  keep_bytes: string;
  share: Share;
}

/** Columns of what is given. */
function toColumns(change: Partial<RecordingSettings>): Partial<SettingsRow> {
  const { failures, sampleRate, countPerDay, bytesPerDay, keepDays, keepBytes, share } = change;
  const columns = {
    failures,
    sample_rate: sampleRate,
    count_per_day: countPerDay,
    bytes_per_day: bytesPerDay?.toString(),
    keep_days: keepDays,
    keep_bytes: keepBytes?.toString(),
    share,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

const toSettings = (row: SettingsRow): RecordingSettings => ({
  failures: row.failures,
  sampleRate: row.sample_rate,
  countPerDay: row.count_per_day,
  bytesPerDay: Number(row.bytes_per_day),
  keepDays: row.keep_days,
  keepBytes: Number(row.keep_bytes),
  share: row.share,
});

const toEntry = (row: {
  id: string;
  installation_id: string;
  release_id: string;
  publisher_slug: string;
  plugin_name: string;
  version: string;
  bundle_digest: string;
  at: Date;
  why: RecordingEntry['why'];
  job: string;
  outcome: string;
  redacted: boolean;
  bytes: number;
}): RecordingEntry => ({
  id: row.id,
  installationId: row.installation_id,
  releaseId: row.release_id,
  plugin: `${row.publisher_slug}/${row.plugin_name}`,
  version: row.version,
  bundleDigest: row.bundle_digest,
  at: row.at.toISOString(),
  why: row.why,
  job: row.job,
  outcome: row.outcome,
  redacted: row.redacted,
  bytes: row.bytes,
});
