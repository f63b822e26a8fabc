import type { DsseEnvelope } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release, ReleaseState } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import type { VerifyingKey } from '../rules/release-signatures.ts';
import { may } from '../rules/token-rights.ts';
import type { ReviewReason, ReviewRound } from './contract.ts';
import type { ReviewStore } from './review-store.ts';

/** What a review sees of a release. */
export interface ReviewedRelease {
  release: Release;
  pluginId: string;
  publisherId: string;
  publisherSlug: string;
  pluginName: string;
}

export interface ReviewStores {
  /** Locks the release's plugin until the end of the transaction, then reads the release. */
  lockRelease(releaseId: string): Promise<ReviewedRelease | null>;
  /** The publisher's keys that are not revoked, kept so until the end of the transaction. */
  lockKeys(organisationId: string): Promise<VerifyingKey[]>;
  /** The publisher's keys that spoke for it in what was received then. */
  keysAt(organisationId: string, receivedAtMs: number): Promise<VerifyingKey[]>;
  reviews: ReviewStore;
  saveState(releaseId: string, change: StateChange): Promise<void>;
  /** Those of its archive, by name. */
  filesOf(releaseId: string): Promise<Map<string, Buffer>>;
  /** Decides anew which release of the plugin is its newest. */
  chooseLatest(pluginId: string): Promise<void>;
  audit: Audit;
  logEvent: LogInTransaction;
}

export interface StateChange {
  state: ReleaseState;
  envelope?: DsseEnvelope;
  reasons?: string[];
  reviewedAt?: Date;
  blocked?: Release['blocked'];
}

export interface ReviewPorts {
  /** For whoever acts. */
  transaction<Result>(work: (stores: ReviewStores) => Promise<Result>): Promise<Result>;
  /** For what publishers may do to releases that they may not write, and for what the registry does by itself. */
  systemTransaction<Result>(work: (stores: ReviewStores) => Promise<Result>): Promise<Result>;
  /** Whether a person belongs to an organisation. */
  isMember(accountId: string, organisationId: string): Promise<boolean>;
  nowMs: () => number;
}

/** Who decides: somebody, or the registry by a rule. */
export type Decider = Principal | { via: 'system'; part: 'reviews' };

/** Of a person, or of a program. */
export const deciderId = (actor: Decider): string =>
  actor.via === 'system' ? actor.part : (actor.account?.id ?? actor.credentialId);

/** The release, locked. Who may not review learns nothing. Refuses with: release-unknown. */
export async function lockForReview(
  stores: ReviewStores,
  actor: Principal,
  releaseId: string,
): Promise<ReviewedRelease> {
  const allowed = may(actor, 'release:review') && isUuid(releaseId);
  const found = allowed ? await stores.lockRelease(releaseId) : null;
  if (found === null) throw new RegistryRefusal('release-unknown');
  return found;
}

/** Refuses with: release-state-invalid. */
export function refuseState({ state }: Release, verb: string): never {
  throw new RegistryRefusal('release-state-invalid', `The release is ${state}, so it cannot be ${verb}.`, { state });
}

/** Nobody judges what they have a part in. Refuses with: review-conflict. */
export async function requireImpartial(
  { isMember }: Pick<ReviewPorts, 'isMember'>,
  actor: Principal,
  { publisherId }: ReviewedRelease,
): Promise<void> {
  const own =
    actor.organisation.id === publisherId || (actor.account && (await isMember(actor.account.id, publisherId)));
  if (own)
    throw new RegistryRefusal(
      'review-conflict',
      'You belong to the publisher of this release; another moderator decides.',
    );
}

/** Refuses with: review-conflict. */
function requireNotAppealed(actor: Principal, [round, before]: readonly ReviewRound[]): void {
  if (round?.kind === 'appeal' && before?.decidedBy === deciderId(actor)) {
    throw new RegistryRefusal(
      'review-conflict',
      'This is an appeal against your own decision; another moderator decides.',
    );
  }
}

/**
 * The open round of a release in review, which is for whoever asks to decide. Refuses with: release-state-invalid, review-conflict,
 * review-assigned.
 */
export async function openRound(
  ports: Pick<ReviewPorts, 'isMember'>,
  { reviews }: Pick<ReviewStores, 'reviews'>,
  actor: Principal,
  found: ReviewedRelease,
  verb: string,
): Promise<ReviewRound> {
  await requireImpartial(ports, actor, found);
  const rounds = await reviews.rounds(found.release.id);
  const [round] = rounds;
  if (found.release.state !== 'in-review' || !round || round.decision !== null) refuseState(found.release, verb);
  requireNotAppealed(actor, rounds);
  if (round.assignedTo !== null && round.assignedTo !== deciderId(actor)) {
    throw new RegistryRefusal('review-assigned', undefined, { assignedTo: round.assignedTo });
  }
  return round;
}

/**
 * The round that a rejection ends: the open one or, of a release that is held, a new one, since the last one ended with its approval.
 * Refuses with: as openRound.
 */
export async function roundToReject(
  ports: Pick<ReviewPorts, 'isMember' | 'nowMs'>,
  stores: Pick<ReviewStores, 'reviews'>,
  actor: Principal,
  found: ReviewedRelease,
): Promise<ReviewRound> {
  const { id, state } = found.release;
  if (state !== 'approved') return openRound(ports, stores, actor, found, 'rejected');
  await requireImpartial(ports, actor, found);
  // Otherwise whoever lost an appeal could reject what another moderator has just approved.
  requireNotAppealed(actor, await stores.reviews.rounds(id));
  return stores.reviews.begin(id, new Date(ports.nowMs()));
}

/** What a publisher reads in the list of releases. */
export const reasonTexts = (reasons: readonly ReviewReason[]): string[] => reasons.map(({ message }) => message);
