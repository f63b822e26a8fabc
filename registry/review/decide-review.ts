import { cursorKey, pageLimit, pageOf } from '../page.ts';
import { storedText } from '../rules/stored-text.ts';
import type { ApprovePorts } from './approve-release.ts';
import { approveIn } from './approve-release.ts';
import type { Reviews } from './contract.ts';
import { withEvidence } from './read-evidence.ts';
import { turnDownIn } from './reject-release.ts';
import { deciderId, lockForReview, openRound, type ReviewPorts, roundToReject } from './review-ports.ts';
import type { ReviewStore } from './review-store.ts';
import type { Checklist } from './rules/checklist.ts';

const CURSOR = /^\d{4}-\d\d-\d\dT[\d:.]+Z [0-9a-f-]{36}$/;

export const reviewQueue =
  ({ reviews }: { reviews: Pick<ReviewStore, 'queue'> }): Reviews['queue'] =>
  async (actor, { assigned, ...page }) => {
    const limit = pageLimit(page);
    const [queuedAt, releaseId] = cursorKey(page, CURSOR)?.split(' ') ?? [];
    const me = deciderId(actor);
    const rows = await reviews.queue({
      ...(assigned !== undefined && { assignedTo: assigned === 'me' ? me : null }),
      after: queuedAt && releaseId ? { queuedAt, releaseId } : null,
      count: limit + 1,
    });
    return pageOf(
      rows,
      limit,
      (row) => ({ ...row, mine: row.assignedTo === me }),
      (row) => `${row.queuedAt} ${row.releaseId}`,
    );
  };

export const assignReview =
  (ports: ReviewPorts): Reviews['assign'] =>
  (actor, releaseId, to) =>
    ports.transaction(async (stores) => {
      const found = await lockForReview(stores, actor, releaseId);
      const round = await openRound(ports, stores, actor, found, 'reviewed');
      const wanted = to === 'me' ? deciderId(actor) : null;
      if (round.assignedTo === wanted) return round;
      await stores.reviews.assign(releaseId, wanted, new Date(ports.nowMs()));
      await stores.audit({
        action: 'release.assign-review',
        actor,
        organisationId: null,
        subject: { kind: 'release', id: releaseId },
        before: { assignedTo: round.assignedTo },
        after: { assignedTo: wanted, round: round.round },
      });
      return (await stores.reviews.rounds(releaseId))[0]!;
    });

export const checkReview =
  (ports: ReviewPorts): Reviews['check'] =>
  (actor, releaseId, checks) =>
    ports.transaction(async (stores) => {
      const found = await lockForReview(stores, actor, releaseId);
      const round = await openRound(ports, stores, actor, found, 'checked');
      const made = Object.entries(checks).map(([item, { verdict, note }]) => [
        item,
        { verdict, note: note === undefined ? null : storedText(note) },
      ]);
      const checklist: Checklist = { ...round.checklist, ...Object.fromEntries(made) };
      await stores.reviews.saveChecklist(releaseId, checklist);
      return { ...round, checklist };
    });

export const decideReview =
  (ports: ApprovePorts): Reviews['decide'] =>
  (actor, releaseId, wish) =>
    ports.transaction(async (stores) => {
      const found = await lockForReview(stores, actor, releaseId);
      const { decision, hold } = wish;
      const round =
        decision === 'reject'
          ? await roundToReject(ports, stores, actor, found)
          : await openRound(ports, stores, actor, found, 'decided');
      const reasons = await withEvidence(wish.reasons, () => stores.filesOf(releaseId));
      const made = { actor, found, round, reasons };
      return decision === 'approve'
        ? approveIn(ports, stores, { ...made, ...(hold && { hold }) })
        : turnDownIn(ports, stores, { ...made, decision });
    });
