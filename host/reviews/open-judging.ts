import type { Registry, Reviews, Scans } from '../../registry/index.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import { type OpenScanningPorts, openScanning } from '../scanning/open-scanning.ts';
import { tellScanned } from '../scanning/tell-scanned.ts';
import { type OpenReviewsPorts, openReviews } from './open-reviews.ts';

export type OpenJudgingPorts = Omit<OpenReviewsPorts, 'scans'> &
  Omit<OpenScanningPorts, 'looks' | 'onScanned'> & {
    /** Whether this host looks at releases before people do; true where absent. */
    scans?: boolean;
  };

/** Scans, and reviews that stand on them: what was scanned may be approved by a rule. */
export function openJudging({ scans: looks = true, ...ports }: OpenJudgingPorts) {
  const { scans, scanned, close } = openScanning({
    ...ports,
    looks,
    onScanned: async (releaseId) => {
      await tellHeld(releaseId);
      return reviews.considerAutomatic(releaseId);
    },
  });
  const tellHeld = tellScanned({ ...ports, scans, notifications: notificationStore(ports.system) });
  const reviews: Reviews = openReviews({ ...ports, scans });
  return {
    routes: (registry: Registry): { registry: Registry; scans: Scans; reviews: Reviews } => ({
      registry: scanned(registry),
      scans,
      reviews,
    }),
    close,
  };
}
