import type { Culprit } from '../../sandbox/index.ts';
import type { ChangeStore } from '../installations/change-store.ts';
import { type AssignCall, createAssignCall } from './assign-call.ts';
import type { LifeEvent } from './contract.ts';
import { type FollowPorts, followPolicies } from './follow-policies.ts';
import { sampleMeter } from './sample-meter.ts';
import type { SampleStore } from './sample-store.ts';
import type { ChangeStaging } from './stagings/end-staging-store.ts';
import { goBack } from './stagings/go-back.ts';
import { judgeStagings } from './stagings/judge-stagings.ts';
import type { StagingSampleStore } from './stagings/staging-store.ts';
import { watchedStagings } from './stagings/watched-stagings.ts';
import { dropCulprit, watchCanaries } from './watch-canaries.ts';

export interface RolloutPorts extends FollowPorts {
  sampleStore: SampleStore;
  /** UUIDv7 for invocations. */
  newId(): string;
  newSeed(): string;
  monotonicMs(): number;
  stagingSamples: StagingSampleStore;
  changeStaging: ChangeStaging;
}

/** Brings releases to installations: calls of a canary, its judgement, and the policies. */
export interface Rollouts {
  assignCall: AssignCall;
  /** Writes what was counted and judges canaries; to be called every few seconds, on every host. */
  judge(): Promise<void>;
  /** Follows all policies; to be called now and then, on every host, for what a notification missed. */
  follow(): Promise<void>;
  /** To be called for a release that changed. Never rejects. */
  onRelease(releaseId: string): void;
  /** To be called for every culprit of a sandbox process's death. Never rejects. */
  onCulprit(culprit: Culprit): void;
  /** As it was at the last look. */
  canaries(): number;
  /** Waits for what runs, and writes what was counted. */
  close(): Promise<void>;
}

export function createRollouts(ports: RolloutPorts): Rollouts {
  const { log, runPlugin, newId, newSeed, monotonicMs, stagings, stagingSamples, nowMs } = ports;
  const samples = sampleMeter(ports.sampleStore);
  const watch = watchCanaries(ports);
  const follow = followPolicies(ports);
  let canaries = 0;
  const drop = dropCulprit(ports);
  let following: Promise<void> = Promise.resolve();
  const dropping = new Set<Promise<void>>();
  const back = goBack(ports);
  const watched = watchedStagings({ store: stagings, samples: stagingSamples });
  const onRelease = (releaseId: string) => {
    following = following
      .then(back)
      .then(() => follow(releaseId))
      .catch((error) => log.error({ err: error, releaseId }, 'policies not followed'));
  };
  const stage = judgeStagings({
    store: stagings,
    samples: stagingSamples,
    change: ports.changeStaging,
    onRelease,
    log,
    nowMs,
  });
  const { isStaged, count: countStaged } = watched;
  return {
    assignCall: createAssignCall({ runPlugin, samples, isStaged, countStaged, newId, newSeed, monotonicMs }),
    judge: async () => {
      await samples.flush();
      canaries = await watch();
      await watched.refresh();
      await stage();
    },
    follow: async () => {
      await back();
      await follow();
    },
    onRelease,
    onCulprit: (culprit) => {
      const work: Promise<void> = drop(culprit)
        .catch((error) => log.error({ err: error, ...culprit }, 'canary not dropped'))
        .finally(() => dropping.delete(work));
      dropping.add(work);
    },
    canaries: () => canaries,
    close: async () => {
      await Promise.all([following, ...dropping]);
      await samples.flush();
      await watched.flush();
    },
  };
}

/** Counts what was written. */
export const countedChanges = (changes: ChangeStore, onEvent: (event: LifeEvent) => void): ChangeStore => ({
  ...changes,
  write: async (change) => {
    const written = await changes.write(change);
    if (written) for (const { facts } of change.lines) onEvent((facts as { event: LifeEvent }).event);
    return written;
  },
});
