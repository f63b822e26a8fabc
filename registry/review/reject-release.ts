import type { Registry } from '../contract.ts';
import { storedText } from '../rules/stored-text.ts';
import { lockForReview, type ReviewPorts, refuseState } from './review-ports.ts';

/** Idempotent: the reasons given first stay. Refuses with: release-unknown, release-state-invalid. */
export const rejectRelease =
  (ports: ReviewPorts): Registry['rejectRelease'] =>
  (actor, releaseId, reasons) =>
    ports.transaction(async (stores) => {
      const { release } = await lockForReview(stores, actor, releaseId);
      if (release.state === 'rejected') return release;
      if (release.state !== 'in-review') refuseState(release, 'rejected');
      await stores.saveReview(release.id, {
        state: 'rejected',
        envelope: release.envelope,
        reasons: reasons.map(storedText),
        reviewedAt: new Date(ports.nowMs()),
      });
      return (await lockForReview(stores, actor, releaseId)).release;
    });
