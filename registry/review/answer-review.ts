import type { Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { statementOf } from '../rules/log-event.ts';
import { storedText } from '../rules/stored-text.ts';
import { may } from '../rules/token-rights.ts';
import { verifySignature } from './approve-release.ts';
import type { Reviews } from './contract.ts';
import { type ReviewedRelease, type ReviewPorts, type ReviewStores, refuseState } from './review-ports.ts';

/** Appeals are read by people who have read it all before. */
const APPEALS_MAX = 1;

/** A release of the actor's own, locked. Others learn nothing. Refuses with: release-unknown, token-restricted. */
async function lockOwn(stores: ReviewStores, actor: Principal, releaseId: string): Promise<ReviewedRelease> {
  const found = isUuid(releaseId) && may(actor, 'release:manage') ? await stores.lockRelease(releaseId) : null;
  if (found?.publisherId !== actor.organisation.id) throw new RegistryRefusal('release-unknown');
  const only = actor.restrictions?.plugin;
  if (only !== undefined && only !== found.release.plugin)
    throw new RegistryRefusal('token-restricted', `The token is for ${only} only.`, { plugin: only });
  return found;
}

export const resubmitRelease =
  ({ systemTransaction }: ReviewPorts): Reviews['resubmit'] =>
  (actor, releaseId, statement) =>
    systemTransaction(async (stores) => {
      const found = await lockOwn(stores, actor, releaseId);
      if (found.release.state !== 'draft') refuseState(found.release, 'submitted again');
      return backIntoReview(stores, { actor, found, statement, action: 'release.resubmit' });
    });

export const appealRelease =
  ({ systemTransaction }: ReviewPorts): Reviews['appeal'] =>
  (actor, releaseId, statement) =>
    systemTransaction(async (stores) => {
      const found = await lockOwn(stores, actor, releaseId);
      const rounds = await stores.reviews.rounds(releaseId);
      if (found.release.state !== 'rejected') refuseState(found.release, 'appealed for');
      const appeals = rounds.filter(({ kind }) => kind === 'appeal').length;
      if (appeals >= APPEALS_MAX) throw new RegistryRefusal('appeal-spent', undefined, { appeals });
      return backIntoReview(stores, { actor, found, statement, action: 'release.appeal' });
    });

async function backIntoReview(
  stores: ReviewStores,
  wish: { actor: Principal; found: ReviewedRelease; statement: string; action: 'release.resubmit' | 'release.appeal' },
) {
  const { actor, found, action } = wish;
  const { id, plugin, version, state } = found.release;
  // The database begins the round.
  await stores.saveState(id, { state: 'in-review' });
  await stores.reviews.saveStatement(id, storedText(wish.statement));
  await stores.audit({
    action,
    actor,
    organisationId: found.publisherId,
    subject: { kind: 'release', id },
    before: { state },
    after: { state: 'in-review', plugin, version },
  });
  return (await stores.lockRelease(id))!.release;
}

export const publishApproved =
  ({ systemTransaction, nowMs }: ReviewPorts): Reviews['publishApproved'] =>
  (actor, releaseId) =>
    systemTransaction(async (stores) => {
      const found = await lockOwn(stores, actor, releaseId);
      const { release } = found;
      if (release.state === 'published') return release;
      if (release.state !== 'approved') refuseState(release, 'published');
      verifySignature(await stores.lockKeys(found.publisherId), found);
      // Whoever waits until a release has been out for days counts from now: approvals can be kept back for longer.
      await stores.saveState(releaseId, { state: 'published', reviewedAt: new Date(nowMs()) });
      await stores.chooseLatest(found.pluginId);
      const { plugin, version, digest } = release;
      await stores.audit({
        action: 'release.publish-approved',
        actor,
        organisationId: found.publisherId,
        subject: { kind: 'release', id: releaseId },
        before: { state: release.state },
        after: { state: 'published', plugin, version, digest },
      });
      await stores.logEvent({ event: 'release.approve', release: statementOf(release) });
      return (await stores.lockRelease(releaseId))!.release;
    });
