import type { CapabilityName, HealthReport, Json, Limits, Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal, Weakness } from '../../registry/index.ts';
import type { Conduct } from '../conduct/contract.ts';
import type { Rollout, Updates } from '../rollouts/contract.ts';
import type { ReleaseDiff } from '../rollouts/rules/compare-releases.ts';

/** A plugin enabled for one operator, with the capabilities that the operator granted. */
export interface Installation {
  id: string;
  /** Unique for the operator; part of the address `/run/{operator}/{slug}/`. */
  slug: string;
  operator: { id: string; slug: string };
  plugin: string;
  version: string;
  releaseId: string;
  bundleDigest: string;
  grants: CapabilityName[];
  config: Json;
  /** What the operator allows at most; the effective limit is the minimum of this, the manifest's and the ceiling. */
  grantedLimits: Partial<Limits>;
  /** False while it is being installed. */
  enabled: boolean;
  /** Its `install` has not ended: it runs, or what ran it died. Nobody reaches it until it is installed again with its id. */
  installing: boolean;
  /** Why its release runs nowhere any more; null where it may run. */
  blocked: { at: string; reason: string } | null;
  /** How it behaved in the sandbox, and what that led to. */
  conduct: Conduct;
  /** What it follows, and what is under way. */
  updates: Updates;
  createdAt: string;
  updatedAt: string;
}

/** What the data plane needs of an installation, kept in memory. */
export interface InstallationFacts extends Installation {
  manifest: Manifest;
  /** The effective limits. */
  limits: Limits;
  /** Only while a canary runs: which of the two releases these facts are of, and the other one. */
  rollout?: { id: string; arm: 'stable'; percent: number; canary: InstallationFacts } | { id: string; arm: 'canary' };
}

/** One line of an installation's log: what the plugin wrote, or how an invocation ended. */
export interface InstallationLogEntry {
  id: string;
  at: string;
  /** Empty where no invocation caused the line. */
  invocationId: string;
  /** `host` records ends of invocations (code, usage), strikes and what they led to. */
  source: 'console' | 'log' | 'host';
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  facts: Json;
}

/** What the policy of an installation is; what is absent stays. */
export interface UpdatePolicyChange {
  /** 0 to 99; 0: updates by the policy get all calls at once. */
  canaryPercent?: number;
  promoteAfterSeconds?: number | null;
  /** 0 to a year. */
  delaySeconds?: number;
}

/** What an operator decides when it installs a plugin. */
export interface InstallRequest {
  /** UUIDv7, chosen by the client: sending the request again cannot install twice. */
  id: string;
  /** `<publisher>/<name>`. */
  plugin: string;
  /** A version to stay on, or a range (`^1.2`, `latest`) to follow. Default: the newest published one, to stay on. */
  version?: string;
  slug: string;
  grants: CapabilityName[];
  config?: Json;
  limits?: Partial<Limits>;
  updates?: UpdatePolicyChange;
  /** Installs it although something that it requires is not there. */
  ignoreRequirements?: boolean;
}

/** What an operator may change later; what is absent stays. */
export type UpdateRequest = Partial<
  Pick<InstallRequest, 'version' | 'grants' | 'config' | 'limits' | 'updates' | 'ignoreRequirements'> & {
    enabled: boolean;
    /** Digest of the diff (`preview`) that the operator agrees to. */
    consent: string;
    /** Gives the new release a share of the calls first; with a canary running, changes its share. */
    canary: { percent: number; promoteAfterSeconds?: number | null };
  }
>;

export interface RollbackRequest {
  /** Default: the canary is dropped; without one, the release before. */
  version?: string;
  /** The configuration that the older release is to have; default: the present one. */
  config?: Json;
  /** Takes the configuration that the older release had when it was left. */
  restoreConfig?: boolean;
}

/** What has to be installed before a release, in this order. */
export interface RequirementPlan {
  plugin: string;
  version: string;
  steps: {
    plugin: string;
    version: string;
    /** The range that is asked for, to be followed. */
    range: string;
    /** The plugin and version that asks for it. */
    requiredBy: string;
  }[];
}

/** What an update would change. */
export interface UpdatePreview extends ReleaseDiff {
  releaseId: string;
  /** The release ran here before, or there is nothing to consent to. */
  consented: boolean;
  /** Capabilities that have to be granted along with it. */
  grantsMissing: string[];
  /** What it requires and is not there, and what requires the present release: it is not taken then. Sentences. */
  obstacles: string[];
  /** In what it is signed more weakly than the present release, without what was accepted: it is not taken then. */
  weaknesses: Weakness[];
}

/** One installation and the releases that it could have. */
export interface Outdated {
  installation: { id: string; slug: string; plugin: string };
  version: string;
  /** Not `published`: the release was yanked. */
  releaseState: string;
  /** Why its publisher advises against what it runs; null where that stands. */
  deprecated: { reason: string; replacement: string | null } | null;
  updates: Updates;
  /** The newest release that the policy allows; null where it follows nothing. */
  inRange: string | null;
  latest: string | null;
  /** What it will get by its policy, and why it has not yet; null where nothing is under way. */
  held: { version: string; reason: string } | null;
}

/** Installations of one operator. Every refusal is a HostRefusal or RegistryRefusal. */
export interface Installations {
  /**
   * Idempotent by `id`, which the client supplies (UUIDv7): it also finishes what a host that died has begun. `version` defaults
   * to the newest published one. Runs the plugin's `configure` and `install`; a fault of it prevents the installation. Refuses with: release-unknown, release-not-installable,
   * engine-incompatible, capability-undeclared, grant-missing, config-invalid, installation-slug-taken, installation-id-taken,
   * installation-busy, version-range-invalid, version-range-unsatisfied, requirements-unmet.
   */
  install(actor: Principal, command: InstallRequest): Promise<Installation>;
  /**
   * What has to be installed along with a release. Nothing is changed. Refuses with: release-unknown, version-range-invalid,
   * version-range-unsatisfied, requirements-conflict.
   */
  planRequirements(actor: Principal, wish: { plugin: string; version?: string }): Promise<RequirementPlan>;
  list(actor: Principal, page: PageRequest): Promise<Page<Installation>>;
  /** Refuses with: installation-unknown. */
  find(actor: Principal, id: string): Promise<Installation>;
  /**
   * One change at a time: a second one waits a moment, then is refused. Runs the plugin's `configure`, `update`, `enable` and
   * `disable`. Refuses with: installation-unknown, installation-busy, signing-weaker, consent-needed, rollout-running,
   * rollout-unknown, required-by-others and those of `install`.
   */
  update(actor: Principal, id: string, change: UpdateRequest): Promise<Installation>;
  /** What an update to `version` (default: what the policy allows) would change. Refuses as `install`, and with installation-unknown. */
  preview(actor: Principal, id: string, version?: string): Promise<UpdatePreview>;
  /**
   * Lets one release come although it is signed more weakly than the present one. Idempotent. Refuses with: installation-unknown,
   * installation-busy, release-unknown, version-range-invalid, version-range-unsatisfied.
   */
  acceptSigning(actor: Principal, id: string, accepted: { version: string; reason: string }): Promise<Installation>;
  /** The canary takes over; runs the plugin's `update`. Refuses with: installation-unknown, installation-busy, rollout-unknown, release-not-installable. */
  promote(actor: Principal, id: string): Promise<Installation>;
  /**
   * Drops the canary, or goes back to the release before or a named one. No fault of the plugin prevents it. Refuses with:
   * installation-unknown, installation-busy, rollback-target-unknown, release-not-installable, consent-needed (a release
   * that never ran here), config-invalid and others of `install`.
   */
  rollBack(actor: Principal, id: string, request: RollbackRequest): Promise<Installation>;
  /** Newest first. Refuses with: installation-unknown. */
  rollouts(actor: Principal, id: string, page: PageRequest): Promise<Page<Rollout>>;
  /** By installation. */
  outdated(actor: Principal, page: PageRequest): Promise<Page<Outdated>>;
  /**
   * Ends a suspension: its score starts from zero, and it runs alone for a while. Idempotent: one that is not suspended stays
   * as it is. Refuses with: installation-unknown.
   */
  resume(actor: Principal, id: string): Promise<Installation>;
  /**
   * Removes the installation; what it stored is deleted after a grace, or now. Idempotent: one that was removed stays so.
   * Refuses with: installation-unknown, installation-busy, required-by-others.
   */
  uninstall(
    actor: Principal,
    id: string,
    options?: { deleteNow?: boolean; ignoreRequirements?: boolean },
  ): Promise<void>;
  /** Takes a removal back within its grace. Idempotent. Refuses with: installation-unknown, installation-slug-taken. */
  restore(actor: Principal, id: string): Promise<Installation>;
  /** Newest first. Operators read their own installations', publishers those of their plugins. */
  logs(
    actor: Principal,
    id: string,
    filter: PageRequest & { level?: InstallationLogEntry['level']; invocationId?: string },
  ): Promise<Page<InstallationLogEntry>>;
  /**
   * Runs the plugin's health check; a faulting one is `down` with the fault as message. Refuses with: installation-unknown,
   * installation-busy, installation-disabled, installation-suspended.
   */
  health(actor: Principal, id: string): Promise<HealthReport>;
  /**
   * Delivers one event. Refuses with: installation-unknown, installation-busy, installation-disabled, installation-suspended,
   * hook-undeclared, hook-payload-invalid, or the plugin's fault.
   */
  deliverHook(
    actor: Principal,
    id: string,
    event: { hook: string; eventId: string; payload: Json },
  ): Promise<{ invocationId: string; result: Json }>;
}
