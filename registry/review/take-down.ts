import type { Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { statementOf } from '../rules/log-event.ts';
import { mayBecome, type ReleaseEvent, type ReleaseState } from '../rules/release-states.ts';
import { storedText } from '../rules/stored-text.ts';
import { may } from '../rules/token-rights.ts';
import { verifySignature } from './approve-release.ts';
import type { ReviewReason, Reviews } from './contract.ts';
import { withEvidence } from './read-evidence.ts';
import {
  type ReviewedRelease,
  type ReviewPorts,
  type ReviewStores,
  refuseState,
  requireImpartial,
} from './review-ports.ts';

async function lockForSafety(stores: ReviewStores, actor: Principal, releaseId: string): Promise<ReviewedRelease> {
  const allowed = may(actor, 'release:suspend') && isUuid(releaseId);
  const found = allowed ? await stores.lockRelease(releaseId) : null;
  if (found === null) throw new RegistryRefusal('release-unknown');
  return found;
}

const moverOf = ({ role }: Principal) => (role === 'admin' ? 'admin' : 'moderator');

/**
 * An emergency does not wait for anybody: no queue, no second moderator. What hosts have running of it they stop when they hear of the
 * change, see host/releases/stop-blocked.ts.
 */
export const takeDown =
  (ports: ReviewPorts): Reviews['takeDown'] =>
  (actor, releaseId, wish) =>
    ports.systemTransaction(async (stores) => {
      const found = await lockForSafety(stores, actor, releaseId);
      const { release } = found;
      if (release.state === 'suspended') return release;
      if (!mayBecome(release.state, 'take-down', moverOf(actor), 'suspended')) refuseState(release, 'taken down');
      const [reason] = await withEvidence([wish], () => stores.filesOf(releaseId));
      const { code, message } = reason as ReviewReason;
      await stores.saveState(releaseId, {
        state: 'suspended',
        blocked: { at: new Date(ports.nowMs()).toISOString(), reason: `${code}: ${message}` },
      });
      return note(stores, actor, found, 'take-down', { state: 'suspended', code, reason: message });
    });

export const restoreRelease =
  (ports: ReviewPorts): Reviews['restore'] =>
  (actor, releaseId, reason) =>
    ports.systemTransaction(async (stores) => {
      const found = await lockForSafety(stores, actor, releaseId);
      const { release } = found;
      const state: ReleaseState = release.yanked === null ? 'published' : 'yanked';
      if (!mayBecome(release.state, 'restore', moverOf(actor), state)) refuseState(release, 'restored');
      await requireImpartial(ports, actor, found);
      // Its key may have been stolen meanwhile.
      verifySignature(await stores.keysAt(found.publisherId, Date.parse(release.createdAt)), found);
      await stores.saveState(releaseId, { state, blocked: null });
      return note(stores, actor, found, 'restore', { state, reason: storedText(reason) });
    });

const LOGGED = { 'take-down': 'release.takedown', restore: 'release.restore' } as const;

async function note(
  stores: ReviewStores,
  actor: Principal,
  { release, pluginId, publisherId }: ReviewedRelease,
  event: ReleaseEvent & keyof typeof LOGGED,
  after: { state: ReleaseState; reason: string; code?: string },
) {
  await stores.chooseLatest(pluginId);
  const { id, plugin, version, digest, state } = release;
  await stores.audit({
    action: LOGGED[event],
    actor,
    organisationId: publisherId,
    subject: { kind: 'release', id },
    before: { state },
    after: { ...after, plugin, version, digest },
  });
  await stores.logEvent({ event: LOGGED[event], release: statementOf(release) });
  return (await stores.lockRelease(id))!.release;
}
