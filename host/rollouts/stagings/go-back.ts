import type { Release } from '../../../registry/index.ts';
import { HostRefusal } from '../../errors.ts';
import type { Log } from '../../http/log.ts';
import { dropCanary } from '../../installations/end-canary.ts';
import {
  declaredOf,
  type MovePorts,
  moveNow,
  planRelease,
  releaseOf,
  write,
} from '../../installations/move-release.ts';
import { type Leased, withLease } from '../../installations/with-lease.ts';
import { line, stuckMessage, updatedMessage } from '../describe-rollout.ts';
import { isFinal, rolloutOf } from '../follow-policies.ts';
import { describeError, isBusy } from '../watch-canaries.ts';
import type { StagingSampleStore, StagingStore, StoredStaging } from './staging-store.ts';

export interface GoBackPorts extends MovePorts {
  stagings: Pick<StagingStore, 'inState'>;
  stagingSamples: Pick<StagingSampleStore, 'tookByPolicy'>;
  log: Log;
}

/**
 * Where a publisher rolled a release back, installations that took it by their policy go back to what they ran before. Those whose
 * operator chose the release stay: that decision is theirs. Each on one host only; what goes wrong with one is no matter of the others.
 */
export const goBack = (ports: GoBackPorts) => async (): Promise<void> => {
  for (const staging of await ports.stagings.inState('rolled-back')) {
    if (staging.release === null) continue;
    for (const { installationId, isCanary } of await ports.stagingSamples.tookByPolicy(staging.release.id)) {
      await withLease(ports, installationId, (leased) => leave(ports, leased, staging, isCanary), { waitMs: 0 }).catch(
        (error) => {
          if (!isBusy(error)) ports.log.error({ err: error, installationId }, 'installation not rolled back');
        },
      );
    }
  }
};

async function leave(ports: GoBackPorts, leased: Leased, staging: StoredStaging, isCanary: boolean): Promise<void> {
  const { installation: before } = leased;
  const reason = `Its publisher rolled ${staging.version} back. ${staging.reason}`;
  if (isCanary) {
    if (before.updates.canary?.releaseId === staging.release!.id)
      await dropCanary(ports, leased, { by: 'judge', reason });
    return;
  }
  if (before.releaseId !== staging.release!.id) return;
  const left = await ports.rollouts.lastLeft(before.id, { presentReleaseId: before.releaseId });
  if (left === null) return;
  const release = await releaseOf(ports, left.releaseId);
  const present = await releaseOf(ports, before.releaseId);
  // As in a rollback by the operator: what was lost only because the newer release did not ask for it comes back.
  const lost = left.grants.filter((grant) => declaredOf([grant], present).length === 0);
  const grants = declaredOf([...new Set([...before.grants, ...lost])], release);
  const plan = (config: typeof before.config) =>
    planRelease(ports, before, release, { grants, config }, { lenient: true });
  const planned = await plan(before.config)
    .catch((error) => {
      if (!(error instanceof HostRefusal) || error.code !== 'config-invalid') throw error;
      return plan(left.config);
    })
    .catch((error): Error => {
      if (!isFinal(error)) throw error;
      return error;
    });
  if (planned instanceof Error) return stay(ports, leased, release, `${reason} ${describeError(planned)}`);
  await moveNow(ports, leased, {
    planned,
    cause: 'policy',
    event: 'rolled-back',
    lenient: true,
    reason,
    message: updatedMessage(before, release.version, { cause: 'policy', reason }),
  });
}

/** Told once: `tookByPolicy` leaves it out from then on, until its operator changes something. */
async function stay(ports: GoBackPorts, { installation: before, revision }: Leased, release: Release, reason: string) {
  const rollout = rolloutOf(ports, before, release, reason, 'update-failed');
  const facts = { fromVersion: before.version, toVersion: release.version, cause: 'policy', rolloutId: rollout.id };
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    begin: { ...rollout, state: 'failed', facts: { event: 'update-failed', goesBack: true } },
    lines: [line(`Not rolled back to ${release.version}. ${reason}`, 'update-failed', facts, 'error')],
    message: stuckMessage(before, release.version, reason),
  });
}
