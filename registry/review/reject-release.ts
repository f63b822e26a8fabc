import type { Registry } from '../contract.ts';
import { storedText } from '../rules/stored-text.ts';
import { lockForReview, type ReviewPorts, refuseState } from './review-ports.ts';

/** Idempotent: the reasons given first stay. Refuses with: release-unknown, release-state-invalid. */
export const rejectRelease =
  (ports: ReviewPorts): Registry['rejectRelease'] =>
  (actor, releaseId, reasons) =>
    ports.transaction(async (stores) => {
      const { release, publisherId, publisherSlug, pluginName } = await lockForReview(stores, actor, releaseId);
      if (release.state === 'rejected') return release;
      if (release.state !== 'in-review') refuseState(release, 'rejected');
      await stores.saveReview(release.id, {
        state: 'rejected',
        envelope: release.envelope,
        reasons: reasons.map(storedText),
        reviewedAt: new Date(ports.nowMs()),
      });
      await stores.audit({
        action: 'release.reject',
        actor,
        organisationId: publisherId,
        subject: { kind: 'release', id: release.id },
        before: { state: release.state },
        after: { state: 'rejected', plugin: release.plugin, version: release.version, digest: release.digest, reasons },
      });
      const { version, digest } = release;
      const statement = { publisher: publisherSlug, name: pluginName, version, digest };
      await stores.logEvent({ event: 'release.reject', release: statement });
      return (await lockForReview(stores, actor, releaseId)).release;
    });
