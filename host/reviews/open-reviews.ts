import type { Knex } from 'knex';
import { createReviewing, type RegistryPorts, type Reviews, type Scans } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import { reachStore } from '../releases/reach-store.ts';
import { tellAbout } from './tell-about.ts';

export interface OpenReviewsPorts extends Omit<RegistryPorts, 'database' | 'scans'> {
  /** For whoever acts. */
  scoped: Knex;
  scans: Pick<Scans, 'reportOf' | 'requireSettled'>;
  log: Pick<Log, 'error'>;
}

/** Reviews and takedowns, of which publishers and operators are told. */
export function openReviews({ scoped, scans, log, ...ports }: OpenReviewsPorts): Reviews {
  const { system, newId, nowMs } = ports;
  const reviews = createReviewing({
    ...ports,
    database: scoped,
    findingsOf: async (releaseId) => {
      const report = await scans.reportOf(releaseId);
      if (report === null) return null;
      return report.findings.map(({ family, severity, place, explanation }) => ({
        id: family,
        severity,
        message: explanation,
        file: place?.file ?? null,
        line: place?.line ?? null,
      }));
    },
  });
  /** Nothing is approved that nobody has looked at. */
  const settled: Reviews = {
    ...reviews,
    decide: async (actor, releaseId, wish) => {
      if (wish.decision === 'approve') await scans.requireSettled(releaseId);
      return reviews.decide(actor, releaseId, wish);
    },
  };
  return tellAbout({
    reviews: settled,
    notifications: notificationStore(system),
    reach: reachStore(system),
    log,
    newId,
    nowMs,
  });
}
