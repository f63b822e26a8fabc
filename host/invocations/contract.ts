import type { PluginFault, WireResponse } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';
import type { SandboxRefusalCode } from '../../sandbox/index.ts';
import type { AdmissionRefusal } from './admission.ts';

/** Why an invocation was not run, or not to its end, through no fault of the plugin. A closed set: it labels metrics. */
export type InvocationRefusalCode = SandboxRefusalCode | AdmissionRefusal['code'];

/** A request of the data plane, `ANY /run/{operator}/{installation}/*`, as it came. */
export interface RunRequest {
  operatorSlug: string;
  installationSlug: string;
  method: string;
  /** Starts with `/`; without the query. Still percent-encoded. */
  path: string;
  /** Absolute, as the plugin shall see it. */
  url: string;
  headers: [name: string, value: string][];
  /** Reads the body, at most `bytesMax`; refuses with body-too-large. Not called for requests that are refused before. */
  readBody(bytesMax: number): Buffer | Promise<Buffer>;
  /** Who calls; null without credentials. Bad credentials have been refused before. */
  principal: Principal | null;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface DataPlane {
  /**
   * Refuses with: installation-unknown, installation-disabled, installation-suspended, installation-saturated,
   * cpu-budget-exhausted, plugin-route-unknown, method-not-allowed, token-missing, permission-denied, body-too-large,
   * PluginFaultError, and those of the sandbox.
   */
  run(request: RunRequest): Promise<{ invocationId: string; response: WireResponse }>;
}

/** The plugin did wrong: shown to callers as a code and the invocation's id, to its publisher and operator in full. */
export class PluginFaultError extends Error {
  override name = 'PluginFaultError';
  readonly fault: PluginFault;
  readonly invocationId: string;
  constructor(fault: PluginFault, invocationId: string) {
    super(fault.message);
    this.fault = fault;
    this.invocationId = invocationId;
  }
}
