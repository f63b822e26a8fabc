import { isInCanary } from '../../rules/assign-release.ts';
import type { StagingState } from './staging-states.ts';

/** As far as it matters for whether a release may arrive by itself. */
export interface StageFacts {
  state: StagingState;
  percents: readonly number[];
  stage: number;
  /** Digest of the release: another release comes to others first. */
  digest: string;
}

/**
 * Whether a release has come to an installation that follows: the same answer on every host at every look, and who has it in one stage
 * has it in all later ones.
 */
export function isInStage(staging: StageFacts | undefined, installationId: string): boolean {
  if (staging === undefined || staging.state === 'done') return true;
  if (staging.state !== 'rolling') return false;
  return isInCanary(staging.digest, installationId, staging.percents[staging.stage] ?? 0);
}

/** Stagings by the id of their release, where that is there. */
export const stageFacts = <
  Staging extends Omit<StageFacts, 'digest'> & { release: { id: string; digest: string } | null },
>(
  stagings: readonly Staging[],
): ReadonlyMap<string, Staging & StageFacts> =>
  new Map(
    stagings.flatMap((staging) =>
      staging.release === null ? [] : [[staging.release.id, { ...staging, digest: staging.release.digest }] as const],
    ),
  );
