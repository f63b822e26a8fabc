import type { Principal, Registry, Release } from '../contract.ts';
import { statementOf } from '../rules/log-event.ts';
import { storedText } from '../rules/stored-text.ts';
import type { ReviewReason, ReviewRound } from './contract.ts';
import {
  deciderId,
  lockForReview,
  type ReviewedRelease,
  type ReviewPorts,
  type ReviewStores,
  reasonTexts,
  roundToReject,
} from './review-ports.ts';

/** Idempotent: the reasons given first stay. Refuses with: release-unknown, release-state-invalid, review-assigned, review-conflict. */
export const rejectRelease =
  (ports: ReviewPorts): Registry['rejectRelease'] =>
  (actor, releaseId, reasons) =>
    ports.transaction(async (stores) => {
      const found = await lockForReview(stores, actor, releaseId);
      if (found.release.state === 'rejected') return found.release;
      const round = await roundToReject(ports, stores, actor, found);
      return turnDownIn(ports, stores, {
        actor,
        found,
        round,
        decision: 'reject',
        reasons: reasons.map((message) => ({ code: 'other', message: storedText(message), evidence: [] })),
      });
    });

/** Rejects a release, or gives it back as a draft. */
export async function turnDownIn(
  { nowMs }: Pick<ReviewPorts, 'nowMs'>,
  stores: ReviewStores,
  made: {
    actor: Principal;
    found: ReviewedRelease;
    round: ReviewRound;
    decision: 'reject' | 'request-changes';
    reasons: ReviewReason[];
  },
): Promise<Release> {
  const { actor, found, round, decision, reasons } = made;
  const { release, publisherId } = found;
  const at = new Date(nowMs());
  const state = decision === 'reject' ? 'rejected' : 'draft';
  await stores.saveState(release.id, { state, reasons: reasonTexts(reasons), reviewedAt: at });
  await stores.reviews.decide(release.id, {
    decision,
    reasons,
    decidedBy: deciderId(actor),
    automatic: false,
    decidedAt: at,
  });
  const { plugin, version, digest } = release;
  await stores.audit({
    action: decision === 'reject' ? 'release.reject' : 'release.request-changes',
    actor,
    organisationId: publisherId,
    subject: { kind: 'release', id: release.id },
    before: { state: release.state },
    after: {
      ...{ state, plugin, version, digest, round: round.round },
      reasons: reasons.map(({ code, message }) => ({ code, message })),
    },
  });
  if (decision === 'reject') await stores.logEvent({ event: 'release.reject', release: statementOf(release) });
  return (await stores.lockRelease(release.id))!.release;
}
