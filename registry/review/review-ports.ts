import type { DsseEnvelope } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release, ReleaseState } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import type { VerifyingKey } from '../rules/release-signatures.ts';
import { may } from '../rules/token-rights.ts';

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
  saveReview(
    releaseId: string,
    review: { state: ReleaseState; envelope: DsseEnvelope; reasons: string[]; reviewedAt: Date },
  ): Promise<void>;
  /** Decides anew which release of the plugin is its newest. */
  chooseLatest(pluginId: string): Promise<void>;
  audit: Audit;
  logEvent: LogInTransaction;
}

export interface ReviewPorts {
  transaction<Result>(work: (stores: ReviewStores) => Promise<Result>): Promise<Result>;
  nowMs: () => number;
}

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
