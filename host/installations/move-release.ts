import { type CapabilityName, effectiveLimits, type Json, type Limits } from '../../plugins-sdk/contract/index.ts';
import { type Registry, RegistryRefusal, type Release, statementOf, type Transparency } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { CanaryTerms, RolloutCause, RolloutEnd } from '../rollouts/contract.ts';
import { type Line, line, type Message } from '../rollouts/describe-rollout.ts';
import type { RolloutStore } from '../rollouts/rollout-store.ts';
import { canaryGrants } from '../rollouts/rules/canary-grants.ts';
import { compareReleases, type ReleaseDiff } from '../rollouts/rules/compare-releases.ts';
import type { Change, NewRollout } from './change-store.ts';
import { checkConfiguration, checkGrants, checkRelease } from './check-installation.ts';
import type { Installation, InstallationFacts } from './contract.ts';
import { raiseHook, tellHook } from './raise-hook.ts';
import type { DemandStore } from './requirements/demand-store.ts';
import type { Leased, LeasePorts } from './with-lease.ts';

export interface MovePorts extends LeasePorts {
  registry: Pick<Registry, 'compareSignings' | 'loadBundle' | 'publishedVersions' | 'releaseById' | 'resolveRelease'>;
  transparency: Pick<Transparency, 'requireLogged'>;
  rollouts: RolloutStore;
  /** What installations require of each other. */
  demands: DemandStore;
  runPlugin: PluginRunner;
  /** SemVer of this Gatehouse. */
  hostVersion: string;
  /** UUIDv7, in order. */
  newRolloutId(): string;
  nowMs(): number;
}

/** What a change asks for beside the release. */
export interface Wishes {
  grants?: CapabilityName[];
  config?: Json;
  limits?: Partial<Limits>;
}

/** A release with what it is to be run with, checked as a whole. */
export interface Planned {
  release: Release;
  facts: InstallationFacts;
}

/** Refuses with: release-unknown. */
export async function releaseOf({ registry }: Pick<MovePorts, 'registry'>, releaseId: string): Promise<Release> {
  const release = await registry.releaseById(releaseId);
  if (release === null) throw new RegistryRefusal('release-unknown');
  return release;
}

/** What a release would change, and whether its operator has agreed to it: those that ran here before are no news. */
export async function compareWith(
  ports: Pick<MovePorts, 'registry' | 'rollouts'>,
  before: Installation,
  release: Release,
): Promise<ReleaseDiff & { consented: boolean }> {
  const present = await releaseOf(ports, before.releaseId);
  const diff = compareReleases(present.manifest, release.manifest, before.grants);
  const consented = !diff.needsConsent || (await ports.rollouts.ranBefore(before.id)).has(release.id);
  return { ...diff, consented };
}

/** Refuses with: consent-needed. */
export function requireConsent(diff: ReleaseDiff & { consented: boolean }, consent: string | undefined): void {
  if (diff.consented || consent === diff.digest) return;
  const { fromVersion, toVersion, changes, digest } = diff;
  const needed = changes.filter(({ needsConsent }) => needsConsent).length;
  throw new HostRefusal(
    'consent-needed',
    `${toVersion} may do more than ${fromVersion}: ${needed} ${needed === 1 ? 'change needs' : 'changes need'} consent.`,
    { fromVersion, toVersion, changes, digest },
  );
}

/** What stays of grants that nobody spoke of: a release that does not ask for a capability does not get it. */
export const declaredOf = (grants: readonly CapabilityName[], { manifest }: Pick<Release, 'manifest'>) =>
  grants.filter((grant) => manifest.capabilities?.some(({ name }) => name === grant));

/**
 * Checks a release with everything that it is to be run with; runs the plugin's `configure`. `lenient` takes a fault of that
 * for consent, but no refusal. Refuses with: release-not-installable, engine-incompatible, release-signature-invalid, release-not-logged,
 * capability-undeclared, grant-missing, config-invalid, and the plugin's fault.
 */
export async function planRelease(
  {
    registry,
    transparency,
    runPlugin,
    hostVersion,
  }: Pick<MovePorts, 'registry' | 'transparency' | 'runPlugin' | 'hostVersion'>,
  before: Installation,
  release: Release,
  wishes: Wishes,
  { lenient = false } = {},
): Promise<Planned> {
  checkRelease(release, hostVersion);
  // Reads the code once more and verifies digest and signatures before anything is written.
  await registry.loadBundle(release.bundleDigest);
  await transparency.requireLogged(statementOf(release));
  const facts = onRelease(before, release, wishes);
  checkGrants(facts.manifest, facts.grants);
  await checkConfiguration(facts, facts.config, runPlugin, { lenient });
  return { release, facts };
}

/** A canary as it runs now: a grant that was taken from the installation meanwhile is gone here too. */
export function onCanary(installation: Installation, release: Release, terms: CanaryTerms): InstallationFacts {
  const of = { canary: terms.grants, before: terms.fromGrants, now: installation.grants };
  const declared = (release.manifest.capabilities ?? []).map(({ name }) => name);
  return onRelease(installation, release, { grants: canaryGrants(of, declared), config: terms.config });
}

export function onRelease(before: Installation, release: Release, wishes: Wishes): InstallationFacts {
  const { grants = declaredOf(before.grants, release), config = before.config, limits = before.grantedLimits } = wishes;
  return {
    ...before,
    version: release.version,
    releaseId: release.id,
    bundleDigest: release.bundleDigest,
    grants,
    config,
    grantedLimits: limits,
    blocked: release.blocked,
    manifest: release.manifest,
    limits: effectiveLimits(release.manifest.limits ?? {}, limits),
  };
}

export interface Move {
  planned: Planned;
  cause: RolloutCause;
  reason?: string;
  /** For the log and for programs: what happened. */
  event: 'updated' | 'rolled-back';
  /** The plugin's `update` is told, and cannot refuse. */
  lenient?: boolean;
  /** What the change sets beside the release. */
  set?: Change['set'];
  /** Puts it out of service or back, once the release has taken over; what it rejects with prevents the change. */
  toggle?: { raise(facts: InstallationFacts): Promise<void>; line: Line };
  message?: Message | null;
}

/** Lets a release take over at once: `update`, then one transaction. Refuses with: installation-busy, and the plugin's fault. */
export async function moveNow(ports: MovePorts, leased: Leased, move: Move): Promise<void> {
  const { installation: before, revision } = leased;
  const { facts } = move.planned;
  const versions = { fromVersion: before.version, toVersion: facts.version };
  const tell = move.lenient ? tellHook : raiseHook;
  await tell(ports, facts, 'update', versions, `${revision}:${facts.version}`);
  await move.toggle?.raise(facts);
  const verb = move.event === 'updated' ? 'Updated' : 'Rolled back';
  const begin = newRollout(ports, before, move, { state: 'done', percent: 100, promoteAfterSeconds: null });
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    set: { ...valuesOf(facts), ...move.set },
    end: endOpen(before, facts.version),
    begin,
    lines: [
      line(`${verb} from ${before.version} to ${facts.version}. ${move.reason ?? ''}`.trim(), move.event, {
        ...versions,
        cause: move.cause,
        rolloutId: begin.id,
      }),
      ...(move.toggle ? [move.toggle.line] : []),
    ],
    message: move.message,
  });
}

/** Gives a release a share of the calls. */
export async function startCanary(
  ports: MovePorts,
  { installation: before, revision }: Leased,
  move: Move,
  terms: { percent: number; promoteAfterSeconds: number | null },
): Promise<void> {
  const { facts } = move.planned;
  const begin = newRollout(ports, before, move, { state: 'canary', ...terms });
  const text = `Canary: ${facts.version} gets ${terms.percent} % of the calls of ${before.version}.`;
  await write(ports, {
    installationId: before.id,
    revision,
    atMs: ports.nowMs(),
    set: move.set,
    end: endOpen(before, facts.version),
    begin,
    lines: [
      line(text, 'canary-started', {
        fromVersion: before.version,
        toVersion: facts.version,
        cause: move.cause,
        rolloutId: begin.id,
        ...terms,
      }),
    ],
  });
}

/** Refuses with: installation-busy, where somebody was faster in spite of the lease. */
export async function write({ changes }: Pick<MovePorts, 'changes'>, change: Change): Promise<void> {
  if (!(await changes.write(change))) throw new HostRefusal('installation-busy');
}

const valuesOf = ({ releaseId, grants, config, grantedLimits }: InstallationFacts): Change['set'] => ({
  releaseId,
  grants,
  config,
  grantedLimits,
});

/** Whatever is under way ends with another release; a canary that is promoted is ended by its promotion. */
function endOpen({ updates }: Installation, version: string): Change['end'] {
  const reason = (open: string) => (open === version ? 'Its operator consented.' : `${version} came first.`);
  const end = (state: 'waiting' | 'canary', open: string): { state: typeof state; as: RolloutEnd; reason: string } => ({
    state,
    as: state === 'canary' ? 'rolled-back' : 'superseded',
    reason: reason(open),
  });
  return [
    ...(updates.waiting ? [end('waiting', updates.waiting.version)] : []),
    ...(updates.canary ? [end('canary', updates.canary.version)] : []),
  ];
}

export function newRollout(
  { newRolloutId }: Pick<MovePorts, 'newRolloutId'>,
  before: Installation,
  { planned: { facts }, cause, reason = '', event }: Pick<Move, 'planned' | 'cause' | 'reason' | 'event'>,
  terms: Pick<NewRollout, 'state' | 'percent' | 'promoteAfterSeconds'>,
): NewRollout {
  return {
    id: newRolloutId(),
    fromReleaseId: before.releaseId,
    toReleaseId: facts.releaseId,
    cause,
    ...terms,
    grants: facts.grants,
    config: facts.config,
    fromGrants: before.grants,
    fromConfig: before.config,
    reason,
    facts: { event },
  };
}
