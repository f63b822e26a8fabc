import type { Knex } from 'knex';
import type { Scans } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import type { NotificationStore } from '../notifications/notification-store.ts';

const FINDINGS_SHOWN = 10;

export interface TellScannedPorts {
  /** Sees everything. */
  system: Knex;
  scans: Pick<Scans, 'reportOf'>;
  notifications: Pick<NotificationStore, 'add'>;
  log: Pick<Log, 'error'>;
  newId: () => string;
  nowMs: () => number;
}

/** Publishers hear of a scan that holds their release up. That somebody cannot be told undoes no scan. */
export const tellScanned = (ports: TellScannedPorts) => async (releaseId: string) => {
  await tell(ports, releaseId).catch((error) => ports.log.error({ err: error }, 'nobody was told of a scan'));
};

async function tell({ system, scans, notifications, newId, nowMs }: TellScannedPorts, releaseId: string) {
  const report = await scans.reportOf(releaseId);
  if (report?.verdict !== 'second-look') return;
  const release = await system('releases')
    .join('plugins', 'plugins.id', 'releases.plugin_id')
    .join('organisations', 'organisations.id', 'plugins.organisation_id')
    .where('releases.id', releaseId)
    .first('releases.version', 'plugins.name', 'organisations.slug', 'organisations.id as publisherId');
  const plugin = `${release.slug}/${release.name}`;
  const { findings, omitted } = report;
  const more = findings.length - FINDINGS_SHOWN + omitted;
  await notifications.add([
    {
      id: newId(),
      organisationId: release.publisherId,
      at: new Date(nowMs()).toISOString(),
      kind: 'release-held',
      subject: `${plugin}@${release.version} is held until somebody has looked at what the scan found`,
      body: [
        ...findings
          .slice(0, FINDINGS_SHOWN)
          .map(({ family, severity, explanation }) => `${family} (${severity}): ${explanation}`),
        ...(more > 0 ? [`and ${more} more`] : []),
        'A moderator looks at it. `gate scan` shows the places, and what to do about each of them, before you publish.',
      ].join('\n'),
      facts: {
        releaseId,
        plugin,
        version: release.version,
        families: [...new Set(findings.map((each) => each.family))],
      },
    },
  ]);
}
