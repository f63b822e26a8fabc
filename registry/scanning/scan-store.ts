import type { Knex } from 'knex';
import type { Scan, ScanProgress, ScanReport } from './rules/scan-report.ts';

const OTHER_PLUGINS_MAX = 50_000;

export interface ScanStore {
  /** Null where there is none, or it may not be seen. */
  find(releaseId: string): Promise<Scan | null>;
  claim(now: Date, until: Date): Promise<{ releaseId: string; attempt: number; report: ScanReport | null } | null>;
  archiveOf(releaseId: string): Promise<Buffer>;
  otherPlugins(releaseId: string): Promise<string[]>;
  saveProgress(releaseId: string, progress: ScanProgress, until: Date): Promise<void>;
  saveReport(releaseId: string, report: ScanReport, at: Date): Promise<void>;
  /** False where it was in review already. */
  openReview(releaseId: string): Promise<boolean>;
  saveAcknowledged(releaseId: string, acknowledged: NonNullable<Scan['acknowledged']>): Promise<void>;
  publisherOf(releaseId: string): Promise<string>;
  /** Whether a person belongs to an organisation. */
  isMember(accountId: string, organisationId: string): Promise<boolean>;
}

/** Rows of `release_scans`, one for each release that was ever looked at. */
export function createScanStore(database: Knex): ScanStore {
  const one = (releaseId: string) => database('release_scans').where('release_id', releaseId);
  return {
    async find(releaseId) {
      const row = await one(releaseId).first();
      if (row === undefined) return null;
      return {
        releaseId: row.release_id,
        stage: row.stage,
        percent: row.percent,
        requestedAt: row.requested_at.toISOString(),
        finishedAt: row.finished_at?.toISOString() ?? null,
        report: row.report,
        acknowledged: row.acknowledged,
      };
    },
    async claim(now, until) {
      // Two hosts that look at once take two releases.
      const { rows } = await database.raw(
        `update release_scans set claimed_until = ?, attempts = attempts + 1 where release_id = (
           select s.release_id from release_scans s join releases r on r.id = s.release_id
           where r.state = 'scanning' and (s.claimed_until is null or s.claimed_until < ?)
           order by s.requested_at limit 1 for update of s skip locked
         ) returning release_id, attempts, report`,
        [until, now],
      );
      const [row] = rows;
      return row ? { releaseId: row.release_id, attempt: row.attempts, report: row.report } : null;
    },
    async archiveOf(releaseId) {
      return (await database('release_artifacts').where('release_id', releaseId).first('archive')).archive;
    },
    async otherPlugins(releaseId) {
      const { rows } = await database.raw(
        `select o.slug || '/' || p.name as plugin from plugins p join organisations o on o.id = p.organisation_id
         where p.latest_release_id is not null
           and p.organisation_id <> (select organisation_id from releases where id = ?)
         limit ?`,
        [releaseId, OTHER_PLUGINS_MAX],
      );
      return rows.map(({ plugin }: { plugin: string }) => plugin);
    },
    async saveProgress(releaseId, { stage, percent }, until) {
      await one(releaseId).whereNull('finished_at').update({ stage, percent, claimed_until: until });
    },
    async saveReport(releaseId, report, at) {
      await one(releaseId).update({
        stage: 'done',
        percent: 100,
        claimed_until: null,
        finished_at: at,
        verdict: report.verdict,
        report: JSON.stringify(report),
      });
    },
    openReview: async (releaseId) =>
      (await database('releases').where({ id: releaseId, state: 'scanning' }).update({ state: 'in-review' })) === 1,
    async saveAcknowledged(releaseId, acknowledged) {
      await one(releaseId)
        .whereNull('acknowledged')
        .update({ acknowledged: JSON.stringify(acknowledged) });
    },
    publisherOf: async (releaseId) =>
      (await database('releases').where('id', releaseId).first('organisation_id')).organisation_id,
    isMember: async (accountId, organisationId) =>
      (await database('memberships').where({ account_id: accountId, organisation_id: organisationId }).first('id')) !==
      undefined,
  };
}
