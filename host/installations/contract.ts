import type { CapabilityName, HealthReport, Json, Limits, Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';
import type { Conduct } from '../conduct/contract.ts';

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
  enabled: boolean;
  /** How it behaved in the sandbox, and what that led to. */
  conduct: Conduct;
  createdAt: string;
  updatedAt: string;
}

/** What the data plane needs of an installation, kept in memory. */
export interface InstallationFacts extends Installation {
  manifest: Manifest;
  /** The effective limits. */
  limits: Limits;
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

/** What an operator decides when it installs a plugin. */
export interface InstallRequest {
  /** UUIDv7, chosen by the client: sending the request again cannot install twice. */
  id: string;
  /** `<publisher>/<name>`. */
  plugin: string;
  /** Default: the newest published one. */
  version?: string;
  slug: string;
  grants: CapabilityName[];
  config?: Json;
  limits?: Partial<Limits>;
}

/** What an operator may change later; what is absent stays. */
export type UpdateRequest = Partial<
  Pick<InstallRequest, 'version' | 'grants' | 'config' | 'limits'> & { enabled: boolean }
>;

/** Installations of one operator. Every refusal is a HostRefusal or RegistryRefusal. */
export interface Installations {
  /**
   * Idempotent by `id`, which the client supplies (UUIDv7). `version` defaults to the newest published one.
   * Runs the plugin's `configure` and `install`. Refuses with: release-unknown, release-not-installable,
   * engine-incompatible, capability-undeclared, grant-missing, config-invalid, installation-slug-taken, installation-id-taken.
   */
  install(actor: Principal, command: InstallRequest): Promise<Installation>;
  list(actor: Principal, page: PageRequest): Promise<Page<Installation>>;
  /** Refuses with: installation-unknown. */
  find(actor: Principal, id: string): Promise<Installation>;
  /** Refuses with: installation-unknown and those of `install`. */
  update(actor: Principal, id: string, change: UpdateRequest): Promise<Installation>;
  /**
   * Ends a suspension: its score starts from zero, and it runs alone for a while. Idempotent: one that is not suspended stays
   * as it is. Refuses with: installation-unknown.
   */
  resume(actor: Principal, id: string): Promise<Installation>;
  /** Removes the installation and its stored data. Idempotent: an unknown one is refused with installation-unknown. */
  uninstall(actor: Principal, id: string): Promise<void>;
  /** Newest first. Operators read their own installations', publishers those of their plugins. */
  logs(
    actor: Principal,
    id: string,
    filter: PageRequest & { level?: InstallationLogEntry['level']; invocationId?: string },
  ): Promise<Page<InstallationLogEntry>>;
  /**
   * Runs the plugin's health check; a faulting one is `down` with the fault as message. Refuses with: installation-unknown,
   * installation-disabled, installation-suspended.
   */
  health(actor: Principal, id: string): Promise<HealthReport>;
  /** Delivers one event. Refuses with: installation-unknown, installation-disabled, installation-suspended, hook-undeclared, hook-payload-invalid, or the plugin's fault. */
  deliverHook(
    actor: Principal,
    id: string,
    event: { hook: string; eventId: string; payload: Json },
  ): Promise<{ invocationId: string; result: Json }>;
}
