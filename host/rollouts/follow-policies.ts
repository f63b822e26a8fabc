import { compareVersions, newestInRange, type Registry, type Release } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import {
  compareWith,
  type Move,
  type MovePorts,
  moveNow,
  newRollout,
  onRelease,
  planRelease,
  releaseOf,
  startCanary,
  write,
} from '../installations/move-release.ts';
import { type Leased, withLease } from '../installations/with-lease.ts';
import { isAdmissionRefusal } from '../invocations/admission.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { consentMessage, failedMessage, line, updatedMessage } from './describe-rollout.ts';
import type { Following } from './rollout-store.ts';
import type { ReleaseDiff } from './rules/compare-releases.ts';
import { describeError, isBusy } from './watch-canaries.ts';

export interface FollowPorts extends MovePorts {
  registry: MovePorts['registry'] & Pick<Registry, 'publishedVersions'>;
  log: Log;
}

/** More are not looked at: whoever publishes twenty releases a day wants the newest to be taken. */
const CANDIDATES_MAX = 10;

/**
 * Brings installations that follow a range to its newest release: those of one plugin, by a release of it that has just
 * appeared, or all. Each on one host only; what goes wrong with one is no matter of the others.
 */
export const followPolicies =
  (ports: FollowPorts) =>
  async (releaseId?: string): Promise<void> => {
    const following = await ports.rollouts.following(releaseId);
    const published = await ports.registry.publishedVersions([...new Set(following.map(({ plugin }) => plugin))]);
    for (const each of following) {
      const versions = published.filter(({ plugin }) => plugin === each.plugin);
      const candidates = newerInRange(each, versions);
      if (candidates.length === 0 && each.waitingId === null) continue;
      await withLease(ports, each.installationId, (leased) => follow(ports, leased, each, candidates), {
        waitMs: 0,
      }).catch((error) => {
        if (!isBusy(error)) ports.log.error({ err: error, ...each }, 'policy not followed');
      });
    }
  };

type Candidate = Awaited<ReturnType<Registry['publishedVersions']>>[number];

/** The newest first. */
export function newerInRange({ version, follows }: Pick<Following, 'version' | 'follows'>, versions: Candidate[]) {
  const found: Candidate[] = [];
  let left = versions;
  while (found.length < CANDIDATES_MAX) {
    const newest = newestInRange(follows, left);
    if (newest === null || compareVersions(newest.version, version) <= 0) break;
    found.push(newest);
    left = left.filter((each) => each !== newest);
  }
  return found;
}

/** Takes the newest release that needs no consent; the newest of those that do waits for it. */
async function follow(ports: FollowPorts, leased: Leased, seen: Following, candidates: Candidate[]): Promise<void> {
  const { installation: before } = leased;
  const { follows, canary, waiting } = before.updates;
  if (follows !== seen.follows || before.version !== seen.version || canary !== null || !before.enabled) return;
  const avoided = await ports.rollouts.avoided(before.id);
  let unagreed: { release: Release; diff: ReleaseDiff } | null = null;
  for (const { releaseId } of candidates.filter((each) => !avoided.has(each.releaseId))) {
    const release = await releaseOf(ports, releaseId);
    const diff = await compareWith(ports, before, release);
    if (diff.consented) return take(ports, leased, release);
    unagreed ??= { release, diff };
  }
  if (unagreed?.release.id === waiting?.releaseId) return;
  if (unagreed !== null) return wait(ports, leased, unagreed.release, unagreed.diff);
  // Yanked, or dropped as a canary meanwhile: there is nothing to consent to any more.
  const end = { state: 'waiting', as: 'superseded', reason: 'It cannot be had any more.' } as const;
  const { revision } = leased;
  await write(ports, { installationId: before.id, revision, atMs: ports.nowMs(), end: [end], lines: [] });
}

async function take(ports: FollowPorts, leased: Leased, release: Release): Promise<void> {
  const { installation: before } = leased;
  const { follows, canaryPercent, promoteAfterSeconds } = before.updates;
  const reason = `It follows ${follows}.`;
  try {
    const planned = await planRelease(ports, before, release, {});
    const message = updatedMessage(before, release.version, { cause: 'policy', reason });
    const move: Move = { planned, cause: 'policy', event: 'updated', reason };
    if (canaryPercent === 0) await moveNow(ports, leased, { ...move, message });
    else await startCanary(ports, leased, move, { percent: canaryPercent, promoteAfterSeconds });
  } catch (error) {
    if (!isFinal(error)) throw error;
    await fail(ports, leased, release, describeError(error));
  }
}

/** Trying again without a change would end in the same way. */
const isFinal = (error: unknown): error is Error =>
  error instanceof PluginFaultError || (error instanceof HostRefusal && !isBusy(error) && !isAdmissionRefusal(error));

async function fail(ports: FollowPorts, { installation: before, revision }: Leased, release: Release, reason: string) {
  const rollout = rolloutOf(ports, before, release, reason, 'update-failed');
  const facts = { fromVersion: before.version, toVersion: release.version, cause: 'policy', rolloutId: rollout.id };
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    begin: { ...rollout, state: 'failed' },
    lines: [line(`Not updated to ${release.version}. ${reason}`, 'update-failed', facts, 'error')],
    message: failedMessage(before, release.version, reason),
  });
}

async function wait(
  ports: FollowPorts,
  { installation: before, revision }: Leased,
  release: Release,
  diff: ReleaseDiff,
) {
  const needed = diff.changes.filter(({ needsConsent }) => needsConsent).map(({ part, name }) => `${part} ${name}`);
  const reason = `It needs consent to: ${needed.join(', ')}.`;
  const rollout = rolloutOf(ports, before, release, reason, 'update-waiting');
  const facts = { fromVersion: before.version, toVersion: release.version, digest: diff.digest, rolloutId: rollout.id };
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    end: before.updates.waiting
      ? [{ state: 'waiting', as: 'superseded', reason: `${release.version} came first.` }]
      : [],
    begin: { ...rollout, state: 'waiting' },
    lines: [line(`${release.version} waits for consent. ${reason}`, 'update-waiting', facts, 'warn')],
    message: consentMessage(before, diff),
  });
}

function rolloutOf(
  ports: FollowPorts,
  before: Leased['installation'],
  release: Release,
  reason: string,
  event: string,
) {
  const planned = { release, facts: onRelease(before, release, {}) };
  const terms = { state: 'waiting', percent: 100, promoteAfterSeconds: null } as const;
  return {
    ...newRollout(ports, before, { planned, cause: 'policy', reason, event: 'updated' }, terms),
    facts: { event },
  };
}
