import type { Culprit } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import { type CanaryEnd, dropCanary, promoteCanary } from '../installations/end-canary.ts';
import { type MovePorts, releaseOf } from '../installations/move-release.ts';
import { type Leased, withLease } from '../installations/with-lease.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { type CanaryVerdict, judgeCanary } from './rules/judge-canary.ts';

export interface WatchPorts extends MovePorts {
  log: Log;
}

/** Judges every canary by what all hosts have seen of it, and acts upon it: each on one host only. Returns how many run on. */
export const watchCanaries = (ports: WatchPorts) => async (): Promise<number> => {
  const ids = await ports.rollouts.withCanary();
  let running = 0;
  for (const id of ids) {
    const ended = await watch(ports, id).catch((error) => {
      if (!isBusy(error)) ports.log.error({ err: error, installationId: id }, 'canary not judged');
      return false;
    });
    if (!ended) running += 1;
  }
  return running;
};

/**
 * Drops a canary of which an invocation broke a sandbox process: a few more would suspend the whole installation. Waits for
 * other changes, because the next death does not wait either.
 */
export const dropCulprit =
  (ports: WatchPorts) =>
  async ({ installationId, digest, invocationId }: Culprit): Promise<void> => {
    const terms = await ports.rollouts.canaryOf(installationId);
    if (terms === null) return;
    const [canary, stable] = await Promise.all([
      releaseOf(ports, terms.toReleaseId),
      releaseOf(ports, terms.fromReleaseId),
    ]);
    if (canary.bundleDigest !== digest || stable.bundleDigest === digest) return;
    const reason = `Its invocation ${invocationId} broke its sandbox process.`;
    await withLease(ports, installationId, async (leased) => {
      const running = await ports.rollouts.canaryOf(installationId);
      if (running?.rolloutId === terms.rolloutId) await dropCanary(ports, leased, { by: 'judge', reason });
    });
  };

/** Somebody else is at it; the next look will tell. */
export const isBusy = (error: unknown): boolean => error instanceof HostRefusal && error.code === 'installation-busy';

async function watch(ports: WatchPorts, id: string): Promise<boolean> {
  if ((await judge(ports, id))?.verdict === 'wait') return false;
  const ended = await withLease(
    ports,
    id,
    async (leased) => {
      // Judged again under the lease: what was true before it may not be true under it.
      const verdict = await judge(ports, id);
      if (verdict === null || verdict.verdict === 'wait') return false;
      const end: CanaryEnd = { by: 'judge', reason: verdict.reason };
      await (verdict.verdict === 'promote' ? promoteOrDrop(ports, leased, end) : dropCanary(ports, leased, end));
      return true;
    },
    { waitMs: 0 },
  );
  return ended === true;
}

async function judge(ports: WatchPorts, id: string): Promise<CanaryVerdict | null> {
  const terms = await ports.rollouts.canaryOf(id);
  if (terms === null) return null;
  const { state, blocked } = await releaseOf(ports, terms.toReleaseId);
  const stopped = blocked !== null ? 'blocked' : state === 'published' ? null : state;
  if (stopped !== null) return { verdict: 'roll-back', cause: 'errors', reason: `The release is ${stopped}.` };
  const { promoteAfterSeconds } = terms;
  return judgeCanary({
    ...(await ports.rollouts.samplesOf(terms.rolloutId)),
    startedAtMs: Date.parse(terms.startedAt),
    nowMs: ports.nowMs(),
    promoteAfterMs: promoteAfterSeconds === null ? null : promoteAfterSeconds * 1_000,
  });
}

/** A release whose `update` fails must not stay half in. */
async function promoteOrDrop(ports: WatchPorts, leased: Leased, end: CanaryEnd): Promise<void> {
  try {
    await promoteCanary(ports, leased, end);
  } catch (error) {
    if (!(error instanceof PluginFaultError || (error instanceof HostRefusal && !isBusy(error)))) throw error;
    await dropCanary(ports, leased, { by: 'judge', reason: `It could not take over: ${describeError(error)}` });
  }
}

/** A refusal or a fault in words, with the faults that it names. */
export function describeError(error: Error): string {
  if (error instanceof PluginFaultError) return `${error.fault.code}: ${error.message}`;
  const { faults, missing } = (error as HostRefusal).facts ?? {};
  const details = [...asList(faults), ...asList(missing)].map(
    (each) => `${each.pointer ?? each.name}: ${each.message ?? each.reason}`,
  );
  return [error.message, ...details].join('\n');
}

const asList = (value: unknown): Record<string, string>[] => (Array.isArray(value) ? value : []);
