import type { KeyObject } from 'node:crypto';
import { signRelease } from '../../plugins-sdk/contract/index.ts';
import type { Registry, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { statementOf } from '../rules/log-event.ts';
import { statementFault, type VerifyingKey, verifiedBy } from '../rules/release-signatures.ts';
import type { ReviewReason, ReviewRound } from './contract.ts';
import {
  type Decider,
  deciderId,
  lockForReview,
  openRound,
  type ReviewedRelease,
  type ReviewPorts,
  type ReviewStores,
} from './review-ports.ts';
import { openItems } from './rules/checklist.ts';

export interface ApprovePorts extends ReviewPorts {
  signingKey: KeyObject;
}

/**
 * Verifies the publisher's signature once more, adds the registry's and publishes; idempotent. Atomic, and in turn with
 * other reviews of the same plugin. Refuses with: release-unknown, release-state-invalid, release-signature-invalid,
 * review-assigned, review-conflict, review-checklist-open.
 */
export const approveRelease =
  (ports: ApprovePorts): Registry['approveRelease'] =>
  (actor, releaseId) =>
    ports.transaction(async (stores) => {
      const found = await lockForReview(stores, actor, releaseId);
      if (found.release.state === 'published') return found.release;
      const round = await openRound(ports, stores, actor, found, 'approved');
      return approveIn(ports, stores, { actor, found, round });
    });

/** Refuses with: release-signature-invalid, review-checklist-open. */
export async function approveIn(
  { signingKey, nowMs }: Pick<ApprovePorts, 'signingKey' | 'nowMs'>,
  stores: ReviewStores,
  approval: {
    actor: Decider;
    found: ReviewedRelease;
    round: ReviewRound;
    reasons?: ReviewReason[];
    hold?: boolean;
  },
): Promise<Release> {
  const { actor, found, round, reasons = [], hold = false } = approval;
  const { release, pluginId, publisherId } = found;
  const open = openItems(round.checklist);
  if (open.length > 0) {
    throw new RegistryRefusal('review-checklist-open', `The checklist is not done: ${open.join(', ')}.`, { open });
  }
  const verified = verifySignature(await stores.lockKeys(publisherId), found);
  const at = new Date(nowMs());
  const state = hold ? 'approved' : 'published';
  await stores.saveState(release.id, {
    state,
    envelope: signRelease(verified.statement, signingKey, verified.envelope),
    reasons: [],
    reviewedAt: at,
  });
  await stores.reviews.decide(release.id, {
    decision: 'approve',
    reasons,
    decidedBy: deciderId(actor),
    automatic: actor.via === 'system',
    decidedAt: at,
  });
  if (!hold) await stores.chooseLatest(pluginId);
  const { plugin, version, digest } = release;
  await stores.audit({
    action: 'release.approve',
    actor,
    organisationId: publisherId,
    subject: { kind: 'release', id: release.id },
    before: { state: release.state },
    after: { state, plugin, version, digest, round: round.round, automatic: actor.via === 'system' },
  });
  // What waits for its publisher is nobody else's business yet.
  if (!hold) await stores.logEvent({ event: 'release.approve', release: statementOf(release) });
  return (await stores.lockRelease(release.id))!.release;
}

/** Refuses with: release-signature-invalid. */
export function verifySignature(keys: readonly VerifyingKey[], found: ReviewedRelease) {
  const { release, publisherSlug, pluginName } = found;
  const verified = verifiedBy(release.envelope, [...keys]);
  const { version, digest } = release;
  const stated = { publisher: publisherSlug, name: pluginName, version, digest };
  if (verified === null || statementFault(verified.statement, stated) !== null) {
    throw new RegistryRefusal(
      'release-signature-invalid',
      'The key that signed this release has been revoked since; reject it and ask for a release signed anew.',
    );
  }
  return verified;
}
