import { HostRefusal } from '../errors.ts';
import type { CanaryTerms } from '../rollouts/contract.ts';
import { line, rolledBackMessage, updatedMessage } from '../rollouts/describe-rollout.ts';
import { checkGrants, checkRelease } from './check-installation.ts';
import { type MovePorts, onCanary, releaseOf, write } from './move-release.ts';
import { raiseHook } from './raise-hook.ts';
import type { Leased } from './with-lease.ts';

/** Who ended a canary, and why. Nobody needs to be told what they did themselves. */
export interface CanaryEnd {
  by: 'operator' | 'judge';
  reason: string;
}

/**
 * The canary takes over, after the plugin's `update` in it. Refuses with: rollout-unknown, release-not-installable,
 * engine-incompatible, grant-missing, installation-busy, and the plugin's fault: the canary runs on then.
 */
export async function promoteCanary(ports: MovePorts, leased: Leased, { by, reason }: CanaryEnd): Promise<void> {
  const { installation: before, revision } = leased;
  const terms = await requireCanary(ports, before.id);
  const release = await releaseOf(ports, terms.toReleaseId);
  checkRelease(release, ports.hostVersion);
  const facts = onCanary(before, release, terms);
  checkGrants(facts.manifest, facts.grants);
  const versions = { fromVersion: before.version, toVersion: release.version };
  await raiseHook(ports, facts, 'update', versions, `${revision}:${release.version}`);
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    set: { releaseId: release.id, grants: facts.grants, config: facts.config },
    end: [{ state: 'canary', as: 'done', reason, facts: { event: 'updated', by } }],
    lines: [
      line(`The canary ${release.version} took over from ${before.version}. ${reason}`, 'canary-promoted', {
        ...versions,
        by,
        rolloutId: terms.rolloutId,
      }),
    ],
    message: by === 'judge' ? updatedMessage(before, release.version, { cause: 'canary', reason }) : null,
  });
}

/** All calls go to the stable release again; the policy does not choose the canary's any more. Refuses with: rollout-unknown, installation-busy. */
export async function dropCanary(ports: MovePorts, leased: Leased, { by, reason }: CanaryEnd): Promise<void> {
  const { installation: before, revision } = leased;
  const { rolloutId } = await requireCanary(ports, before.id);
  const { version, percent } = before.updates.canary!;
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    end: [{ state: 'canary', as: 'rolled-back', reason, facts: { event: 'canary-rolled-back', by } }],
    lines: [
      line(
        `The canary ${version} was dropped; ${before.version} answers all calls. ${reason}`,
        'canary-rolled-back',
        { fromVersion: version, toVersion: before.version, by, percent, rolloutId },
        by === 'judge' ? 'error' : 'warn',
      ),
    ],
    message: by === 'judge' ? rolledBackMessage(before, version, reason) : null,
  });
}

async function requireCanary({ rollouts }: MovePorts, installationId: string): Promise<CanaryTerms> {
  const terms = await rollouts.canaryOf(installationId);
  if (terms === null) throw new HostRefusal('rollout-unknown');
  return terms;
}
