import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { type Line, line } from '../rollouts/describe-rollout.ts';
import type { NewValues } from './change-store.ts';
import { checkConfiguration, checkGrants } from './check-installation.ts';
import type { Installation, InstallationFacts, Installations, UpdateRequest } from './contract.ts';
import { requireSigning } from './guard-signing.ts';
import {
  compareWith,
  type Move,
  type MovePorts,
  moveNow,
  planRelease,
  releaseOf,
  requireConsent,
  startCanary,
  write,
} from './move-release.ts';
import { raiseHook, tellHook } from './raise-hook.ts';
import { requireNotNeeded, requireRequirements } from './requirements/check-requirements.ts';
import { type Leased, withLease } from './with-lease.ts';

/** Changes release, policy, grants, configuration, limits or enablement: checked as a whole, then written as a whole. */
export const updateInstallation =
  (ports: MovePorts): Installations['update'] =>
  async (actor, id, change) => {
    const before = await ports.store.byId(id);
    if (before === null || before.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');
    const updated = await withLease(ports, id, async (leased) => {
      await applyChange(ports, actor, leased, change);
      return ports.store.byId(id);
    });
    if (updated === null) throw new HostRefusal('installation-unknown');
    return updated;
  };

async function applyChange(ports: MovePorts, actor: Principal, leased: Leased, change: UpdateRequest): Promise<void> {
  const { installation: before } = leased;
  const wish =
    change.version === undefined
      ? null
      : await ports.registry.resolveRelease(actor, { plugin: before.plugin, version: change.version });
  const policy: NewValues = {
    ...(wish && { follows: wish.range }),
    ...change.updates,
  };
  const running = before.updates.canary;
  const target = wish?.release.id ?? running?.releaseId;
  if (change.canary && running && target === running.releaseId) return changeShare(ports, leased, change, policy);
  const moves = wish !== null && wish.release.id !== before.releaseId;
  if (running && (moves || change.grants || change.config !== undefined)) {
    throw new HostRefusal('rollout-running', undefined, { canary: running.version, percent: running.percent });
  }
  if (!moves) {
    if (change.canary)
      throw new HostRefusal('rollout-unknown', `It runs ${before.version} already; name another version.`);
    return changeSettings(ports, leased, change, policy);
  }
  await requireSigning(ports, before, wish.release);
  requireConsent(await compareWith(ports, before, wish.release), change.consent);
  if (change.ignoreRequirements !== true) {
    await requireRequirements(ports, before.operator.id, wish.release, before.id);
    await requireNotNeeded(ports, before.operator.id, before.id, wish.release.version);
  }
  const planned = await planRelease(ports, before, wish.release, change);
  const set = { ...policy, ...(change.enabled !== undefined && { enabled: change.enabled }) };
  const move = { planned, cause: 'operator', event: 'updated', set } as const;
  if (change.canary === undefined) return moveNow(ports, leased, { ...move, ...toggleOf(ports, leased, change) });
  if (!before.enabled || change.enabled === false)
    throw new HostRefusal('installation-disabled', 'A canary needs calls; enable the installation first.');
  const { percent, promoteAfterSeconds = before.updates.promoteAfterSeconds } = change.canary;
  const limits = change.limits && { grantedLimits: change.limits };
  return startCanary(
    ports,
    leased,
    { ...move, set: emptyIsNone({ ...set, ...limits }) },
    { percent, promoteAfterSeconds },
  );
}

/** Whether a change puts the installation out of service or back, as well. */
function toggleOf(
  ports: MovePorts,
  { installation, revision }: Leased,
  { enabled }: UpdateRequest,
): Pick<Move, 'toggle'> {
  if (enabled === undefined || enabled === installation.enabled) return {};
  const raise = (facts: InstallationFacts) => raiseToggle(ports, facts, enabled, revision);
  return { toggle: { raise, line: toggleLine(enabled) } };
}

/** A set of nothing must not be a change. */
const emptyIsNone = (set: NewValues): NewValues | undefined => (Object.keys(set).length > 0 ? set : undefined);

/** Sent again with the same share it changes nothing, so a retry is safe. */
async function changeShare(
  ports: MovePorts,
  { installation, revision }: Leased,
  { canary, ...others }: UpdateRequest,
  policy: NewValues,
): Promise<void> {
  const running = installation.updates.canary!;
  if (others.grants || others.config !== undefined || others.limits || others.enabled !== undefined) {
    throw new HostRefusal('rollout-running', undefined, { canary: running.version, percent: running.percent });
  }
  const { percent, promoteAfterSeconds = running.promoteAfterSeconds } = canary!;
  const same = percent === running.percent && promoteAfterSeconds === running.promoteAfterSeconds;
  const text = `Canary: ${running.version} gets ${percent} % of the calls.`;
  await write(ports, {
    installationId: installation.id,
    revision,
    atMs: ports.nowMs(),
    set: emptyIsNone(policy),
    ...(!same && { share: { percent, promoteAfterSeconds } }),
    lines: same ? [] : [line(text, 'canary-changed', { toVersion: running.version, percent, promoteAfterSeconds })],
  });
}

async function changeSettings(
  ports: MovePorts,
  { installation: before, revision }: Leased,
  change: UpdateRequest,
  policy: NewValues,
): Promise<void> {
  const release = await releaseOf(ports, before.releaseId);
  const grantedLimits = change.limits ?? before.grantedLimits;
  const after: InstallationFacts = {
    ...before,
    grants: change.grants ?? before.grants,
    config: change.config ?? before.config,
    grantedLimits,
    manifest: release.manifest,
    limits: effectiveLimits(release.manifest.limits ?? {}, grantedLimits),
  };
  checkGrants(after.manifest, after.grants);
  if (change.config !== undefined) await checkConfiguration(after, after.config, ports.runPlugin);
  const set: NewValues = {
    ...policy,
    ...(change.grants && { grants: change.grants }),
    ...(change.config !== undefined && { config: change.config }),
    ...(change.limits && { grantedLimits }),
  };
  const toggles = change.enabled !== undefined && change.enabled !== before.enabled;
  if (toggles) {
    set.enabled = change.enabled;
    await raiseToggle(ports, after, change.enabled!, revision);
  }
  const lines = [...settingLines(change, policy), ...(toggles ? [toggleLine(change.enabled!)] : [])];
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    set: emptyIsNone(set),
    end: outOfRange(before, policy),
    lines,
  });
}

/** Who takes an installation out of service is not asked by it; who puts it back lets it refuse. */
async function raiseToggle(ports: MovePorts, after: InstallationFacts, enabled: boolean, revision: number) {
  const { version } = after;
  if (enabled) await raiseHook(ports, after, 'enable', { version }, revision);
  else await tellHook(ports, after, 'disable', { version }, revision);
}

/** What waits for consent waits for a policy; with another one it is looked for anew. */
function outOfRange({ updates }: Installation, { follows }: NewValues) {
  if (!updates.waiting || follows === undefined || follows === updates.follows) return [];
  return [{ state: 'waiting', as: 'superseded', reason: 'The policy was changed.' } as const];
}

function settingLines(change: UpdateRequest, policy: NewValues): Line[] {
  const { follows, canaryPercent, promoteAfterSeconds, delaySeconds } = policy;
  const lines: Line[] = [];
  if (change.grants)
    lines.push(line(`Granted: ${change.grants.join(', ') || 'nothing'}.`, 'granted', { grants: change.grants }));
  // The configuration itself may hold what nobody else should read.
  if (change.config !== undefined) lines.push(line('Configured.', 'configured'));
  if (change.limits) lines.push(line('Limits were changed.', 'limited', { limits: change.limits }));
  if (Object.keys(policy).length > 0) {
    const text =
      follows === undefined ? 'The update policy was changed.' : follows === null ? 'Pinned.' : `Follows ${follows}.`;
    lines.push(line(text, 'policy-changed', { follows, canaryPercent, promoteAfterSeconds, delaySeconds }));
  }
  return lines;
}

const toggleLine = (enabled: boolean): Line =>
  enabled
    ? line('Enabled.', 'enabled')
    : line('Disabled: calls, events and schedules are refused.', 'disabled', {}, 'warn');
