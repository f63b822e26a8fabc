import {
  compareVersions,
  newestInRange,
  type PublishedVersion,
  type Registry,
  type Release,
} from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import { REASON_CHARS_MAX } from '../installations/change-store.ts';
import type { Installation } from '../installations/contract.ts';
import { unacceptedWeaknesses } from '../installations/guard-signing.ts';
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
import { brokenBy, unmetOf } from '../installations/requirements/check-requirements.ts';
import { type Leased, withLease } from '../installations/with-lease.ts';
import { isAdmissionRefusal } from '../invocations/admission.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import {
  consentMessage,
  failedMessage,
  line,
  type Message,
  obstacleMessage,
  updatedMessage,
  weakerMessage,
} from './describe-rollout.ts';
import type { Following } from './rollout-store.ts';
import { isInStage, stageFacts } from './stagings/rules/in-stage.ts';
import type { StagingStore } from './stagings/staging-store.ts';
import { describeError, isBusy } from './watch-canaries.ts';

export interface FollowPorts extends MovePorts {
  registry: MovePorts['registry'] & Pick<Registry, 'publishedVersions'>;
  stagings: Pick<StagingStore, 'ofPlugins' | 'inState'>;
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
    const plugins = [...new Set(following.map(({ plugin }) => plugin))];
    const published = await ports.registry.publishedVersions(plugins);
    const stagings = stageFacts(await ports.stagings.ofPlugins(plugins));
    for (const each of following) {
      const here = published.filter(
        ({ plugin, releaseId: id }) => plugin === each.plugin && isInStage(stagings.get(id), each.installationId),
      );
      const candidates = newerInRange(each, outLongEnough(here, each.delaySeconds, ports.nowMs()));
      if (candidates.length === 0 && each.waitingId === null) continue;
      await withLease(ports, each.installationId, (leased) => follow(ports, leased, each, candidates), {
        waitMs: 0,
      }).catch((error) => {
        if (!isBusy(error)) ports.log.error({ err: error, ...each }, 'policy not followed');
      });
    }
  };

type Candidate = PublishedVersion;

/** What was yanked or taken down meanwhile is not among the published any more. */
export const outLongEnough = (versions: Candidate[], delaySeconds: number, nowMs: number): Candidate[] =>
  versions.filter(({ publishedAt }) => Date.parse(publishedAt) + delaySeconds * 1_000 <= nowMs);

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

/** Takes the newest release that nothing hinders; the newest of the others waits for its operator. */
async function follow(ports: FollowPorts, leased: Leased, seen: Following, candidates: Candidate[]): Promise<void> {
  const { installation: before } = leased;
  const { follows, canary, waiting } = before.updates;
  if (follows !== seen.follows || before.version !== seen.version || canary !== null || !before.enabled) return;
  const avoided = await ports.rollouts.avoided(before.id);
  let hindered: { release: Release; hindrance: Hindrance } | null = null;
  for (const { releaseId } of candidates.filter((each) => !avoided.has(each.releaseId))) {
    const release = await releaseOf(ports, releaseId);
    const hindrance = await hindranceOf(ports, before, release);
    if (hindrance === null) return take(ports, leased, release);
    hindered ??= { release, hindrance };
  }
  if (
    hindered?.release.id === waiting?.releaseId &&
    (hindered?.hindrance.reason ?? null) === (waiting?.reason ?? null)
  ) {
    return;
  }
  if (hindered !== null) return wait(ports, leased, hindered.release, hindered.hindrance);
  // Yanked, or dropped as a canary meanwhile: there is nothing to wait for any more.
  const end = { state: 'waiting', as: 'superseded', reason: 'It cannot be had any more.' } as const;
  const { revision } = leased;
  await write(ports, { installationId: before.id, revision, atMs: ports.nowMs(), end: [end], lines: [] });
}

/** Why a release does not arrive by itself. */
interface Hindrance {
  reason: string;
  facts: object;
  message: Message;
}

async function hindranceOf(ports: FollowPorts, before: Installation, release: Release): Promise<Hindrance | null> {
  const weaknesses = await unacceptedWeaknesses(ports, before, release);
  if (weaknesses.length > 0) {
    const sentences = weaknesses.map(({ message }) => message);
    const facts = { weaknesses: weaknesses.map(({ kind }) => kind) };
    return {
      reason: shortened(`It is signed more weakly: ${sentences.join(' ')}`),
      facts,
      message: weakerMessage(before, release.version, sentences, facts),
    };
  }
  const diff = await compareWith(ports, before, release);
  if (diff.consented) return obstacleOf(ports, before, release);
  const needed = diff.changes.filter(({ needsConsent }) => needsConsent).map(({ part, name }) => `${part} ${name}`);
  return {
    reason: shortened(`It needs consent to: ${needed.join(', ')}.`),
    facts: { digest: diff.digest },
    message: consentMessage(before, diff),
  };
}

/** Others that it requires, or that require what runs. Looked at last: they change with other installations. */
async function obstacleOf(ports: FollowPorts, before: Installation, release: Release): Promise<Hindrance | null> {
  const { operator, id } = before;
  const unmet = (await unmetOf(ports, operator.id, release, id)).map(({ message }) => message);
  const obstacles = [...unmet, ...(await brokenBy(ports, operator.id, id, release.version))];
  if (obstacles.length === 0) return null;
  return {
    reason: shortened(obstacles.join(' ')),
    facts: { obstacles },
    message: obstacleMessage(before, release.version, obstacles),
  };
}

/** As it is stored, so that the same reason is the same text at the next look. */
const shortened = (reason: string): string => reason.slice(0, REASON_CHARS_MAX);

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
export const isFinal = (error: unknown): error is Error =>
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
  { reason, facts: why, message }: Hindrance,
) {
  const rollout = rolloutOf(ports, before, release, reason, 'update-waiting');
  const facts = { fromVersion: before.version, toVersion: release.version, ...why, rolloutId: rollout.id };
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    end: before.updates.waiting
      ? [{ state: 'waiting', as: 'superseded', reason: `${release.version} came first.` }]
      : [],
    begin: { ...rollout, state: 'waiting' },
    lines: [line(`${release.version} waits. ${reason}`, 'update-waiting', facts, 'warn')],
    message,
  });
}

export function rolloutOf(
  ports: Pick<MovePorts, 'newRolloutId'>,
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
