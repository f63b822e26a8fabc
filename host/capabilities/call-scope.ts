import type { CapabilityName } from '../../plugins-sdk/contract/index.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { FIRST, type Lineage } from './lineage.ts';

/** What a capability may know of the installation that calls it. */
export type CallingInstallation = Pick<
  InstallationFacts,
  'id' | 'slug' | 'operator' | 'plugin' | 'version' | 'config' | 'manifest' | 'limits'
> & { readonly grants: readonly CapabilityName[] };

/** One invocation, as capabilities see it. */
export interface CallScope {
  readonly installation: CallingInstallation;
  readonly invocationId: string;
  /** When its wall limit ends it, in milliseconds since 1970 by the host's clock: work beyond that is for nobody. */
  readonly deadlineAtMs: number;
  /** What led to it. */
  readonly lineage: Lineage;
  /**
   * The seed of an invocation that another host may execute again, under the same id, after this one is gone; null for one that
   * ends with its host.
   */
  readonly seed: string | null;
  /** Aborted when the invocation is over, however it ended. */
  readonly signal: AbortSignal;
  /** CPU time that the host has spent on computing for it, which is part of its bill. */
  readonly hostCpuMs: number;
  /** Adds to `hostCpuMs`, or to what the installation used after an end where the invocation is over. */
  bill(cpuMs: number): void;
}

/** One host call. `invocationId` with `callSeq` is the idempotency key of its effect. */
export interface CapabilityContext extends CallScope {
  /** 1, 2, ... within the invocation. */
  readonly callSeq: number;
  /** Whether the installation has another capability at this moment. */
  isGranted(capability: CapabilityName): boolean;
  /** Notes that the call makes use of another capability too. */
  used(capability: CapabilityName): void;
}

/** The scope of one invocation. Its signal is made when somebody asks for it: most calls do not. */
export class InvocationScope implements CallScope {
  readonly installation: CallingInstallation;
  readonly invocationId: string;
  readonly deadlineAtMs: number;
  readonly lineage: Lineage;
  readonly seed: string | null;
  hostCpuMs = 0;
  #controller: AbortController | undefined;
  #over = false;
  #billLate: (cpuMs: number) => void = () => {};

  constructor(
    installation: CallingInstallation,
    invocationId: string,
    deadlineAtMs: number,
    { lineage = FIRST, attempt }: { lineage?: Lineage; attempt?: { seed: string } } = {},
  ) {
    this.installation = installation;
    this.invocationId = invocationId;
    this.deadlineAtMs = deadlineAtMs;
    this.lineage = lineage;
    this.seed = attempt?.seed ?? null;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#over) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  bill(cpuMs: number): void {
    if (cpuMs === 0) return;
    if (this.#over) this.#billLate(cpuMs);
    else this.hostCpuMs += cpuMs;
  }

  /** The invocation is over. Its calls that are being made may still cost something, of which `billLate` is told. */
  end(billLate: (cpuMs: number) => void): void {
    this.#over = true;
    this.#billLate = billLate;
    this.#controller?.abort();
  }
}
