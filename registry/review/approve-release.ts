import type { KeyObject } from 'node:crypto';
import { signRelease } from '../../plugins-sdk/contract/index.ts';
import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { statementFault, verifiedBy } from '../rules/release-signatures.ts';
import { lockForReview, type ReviewPorts, refuseState } from './review-ports.ts';

/**
 * Verifies the publisher's signature once more, adds the registry's and publishes; idempotent. Atomic, and in turn with
 * other reviews of the same plugin. Refuses with: release-unknown, release-state-invalid, release-signature-invalid.
 */
export const approveRelease =
  (ports: ReviewPorts & { signingKey: KeyObject }): Registry['approveRelease'] =>
  (actor, releaseId) =>
    ports.transaction(async (stores) => {
      const { release, pluginId, publisherId, publisherSlug, pluginName } = await lockForReview(
        stores,
        actor,
        releaseId,
      );
      if (release.state === 'published') return release;
      if (release.state !== 'in-review') refuseState(release, 'approved');
      const verified = verifiedBy(release.envelope, await stores.lockKeys(publisherId));
      const { version, digest } = release;
      const found = { publisher: publisherSlug, name: pluginName, version, digest };
      if (verified === null || statementFault(verified.statement, found) !== null) {
        throw new RegistryRefusal(
          'release-signature-invalid',
          'The key that signed this release has been revoked since; reject it and ask for a release signed anew.',
        );
      }
      await stores.saveReview(release.id, {
        state: 'published',
        envelope: signRelease(verified.statement, ports.signingKey, verified.envelope),
        reasons: [],
        reviewedAt: new Date(ports.nowMs()),
      });
      await stores.chooseLatest(pluginId);
      await stores.audit({
        action: 'release.approve',
        actor,
        organisationId: publisherId,
        subject: { kind: 'release', id: release.id },
        before: { state: release.state },
        after: { state: 'published', plugin: release.plugin, version, digest },
      });
      await stores.logEvent({ event: 'release.approve', release: found });
      return (await lockForReview(stores, actor, releaseId)).release;
    });
