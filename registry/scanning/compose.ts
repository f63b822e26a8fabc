import type { Knex } from 'knex';
import type { Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import { may } from '../rules/token-rights.ts';
import type { Scans } from './contract.ts';
import type { Scan } from './rules/scan-report.ts';
import { createScanStore } from './scan-store.ts';

export interface ScanPorts {
  /** For whoever acts. */
  database: Knex;
  /** For the host that looks at everybody's releases. */
  system: Knex;
  auditIn(database: Knex): Audit;
  nowMs(): number;
}

/** Scans of releases over one database. */
export function createScans({ database, system, auditIn, nowMs }: ScanPorts): Scans {
  const ofEverybody = createScanStore(system);
  const after = (ms: number) => new Date(nowMs() + ms);
  const found = async (store: Pick<ReturnType<typeof createScanStore>, 'find'>, releaseId: string): Promise<Scan> => {
    const scan = isUuid(releaseId) ? await store.find(releaseId) : null;
    if (scan === null) throw new RegistryRefusal('scan-unknown');
    return scan;
  };
  const belongsTo = async ({ organisation, account }: Principal, publisherId: string) =>
    organisation.id === publisherId || (account !== null && (await ofEverybody.isMember(account.id, publisherId)));
  return {
    find: (_actor, releaseId) => found(createScanStore(database), releaseId),
    acknowledge: (actor, releaseId, reason) =>
      database.transaction(async (transaction) => {
        const store = createScanStore(transaction);
        if (!may(actor, 'release:review')) throw new RegistryRefusal('scan-unknown');
        const scan = await found(store, releaseId);
        const publisherId = await store.publisherOf(releaseId);
        if (await belongsTo(actor, publisherId))
          throw new RegistryRefusal(
            'review-conflict',
            'You belong to the publisher of this release; another moderator looks at its scan.',
          );
        if (scan.report === null) throw running(scan);
        if (scan.acknowledged !== null) return scan;
        const acknowledged = { at: new Date(nowMs()).toISOString(), reason };
        await store.saveAcknowledged(releaseId, acknowledged);
        await auditIn(transaction)({
          action: 'scan.acknowledge',
          actor,
          organisationId: publisherId,
          subject: { kind: 'release', id: releaseId },
          after: { verdict: scan.report.verdict, reason },
        });
        return { ...scan, acknowledged };
      }),
    reportOf: async (releaseId) => (await ofEverybody.find(releaseId))?.report ?? null,
    async requireSettled(releaseId) {
      const scan = isUuid(releaseId) ? await ofEverybody.find(releaseId) : null;
      if (scan === null) return;
      if (scan.report === null) throw running(scan);
      if (scan.report.verdict === 'second-look' && scan.acknowledged === null) {
        const families = [...new Set(scan.report.findings.map(({ family }) => family))];
        throw new RegistryRefusal('scan-unacknowledged', undefined, { families });
      }
    },
    async claim(leaseMs) {
      const claimed = await ofEverybody.claim(new Date(nowMs()), after(leaseMs));
      if (claimed === null) return null;
      const { releaseId } = claimed;
      const archive = await ofEverybody.archiveOf(releaseId);
      return { ...claimed, archive, otherPlugins: await ofEverybody.otherPlugins(releaseId) };
    },
    progress: (releaseId, progress, leaseMs) => ofEverybody.saveProgress(releaseId, progress, after(leaseMs)),
    finish: (releaseId, report) =>
      system.transaction(async (transaction) => {
        const store = createScanStore(transaction);
        // A host that was away for longer than its lease comes late: people may have decided by the report of another.
        if (!(await store.openReview(releaseId))) return false;
        await store.saveReport(releaseId, report, new Date(nowMs()));
        await auditIn(transaction)({
          action: 'scan.finish',
          actor: { via: 'system', part: 'scanning' },
          organisationId: await store.publisherOf(releaseId),
          subject: { kind: 'release', id: releaseId },
          after: { verdict: report.verdict, findings: report.findings.length + report.omitted },
        });
        return true;
      }),
  };
}

const running = ({ stage, percent }: Scan) => new RegistryRefusal('scan-running', undefined, { stage, percent });
