import type { PluginFault, WireResponse } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../../registry/index.ts';
import type { AbortNotice, Invocation, LogRecord, Outcome, SandboxRefusalCode } from '../../sandbox/index.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import type { AdmissionRefusal } from './admission.ts';

/** Why an invocation was not run, or not to its end, through no fault of the plugin. A closed set: it labels metrics. */
export type InvocationRefusalCode = SandboxRefusalCode | AdmissionRefusal['code'];

/** The next piece of a body, at most PIECE_BYTES_MAX long; null at its end. Refuses with: body-too-large, body-malformed. */
export type ReadPiece = () => Promise<Buffer | null>;

/** Where the answer of an invocation goes piece by piece. */
export interface AnswerPieces {
  /** Once, before the first piece. Refuses with: plugin-answer-invalid. */
  start(invocationId: string, head: Pick<WireResponse, 'status' | 'headers'>): void;
  /** Resolves when there is room for more, or when nobody reads any longer. */
  write(piece: Buffer): Promise<void>;
}

/** The outer ends of bodies that pass piece by piece. Where there is none for the answer, its pieces are put together. */
export interface BodyEnds {
  read?: ReadPiece;
  answer?: AnswerPieces;
}

/** A request of the data plane, `ANY /run/{operator}/{installation}/*`, as it came. */
export interface RunRequest {
  /** `operator/installation`, their slugs. */
  address: string;
  method: string;
  /** Starts with `/`; without the query. Still percent-encoded. */
  path: string;
  /** Absolute, as the plugin shall see it. */
  url: string;
  headers: [name: string, value: string][];
  /** Reads the body, at most `bytesMax`; refuses with body-too-large. Not called for requests that are refused before. */
  readBody(bytesMax: number): Buffer | Promise<Buffer>;
  /** In place of `readBody` for a route that streams it; null where there is no body. Refuses with: body-too-large. */
  openBody(bytesMax: number): ReadPiece | null;
  /** Takes the answer of a plugin that streams it. */
  answerPieces: AnswerPieces;
  /** Who calls; null without credentials. Bad credentials have been refused before. */
  principal: Principal | null;
  /** Aborted when the client goes away. */
  signal: AbortNotice;
  /** The caller wants this invocation to be recorded. */
  record?: boolean;
}

export interface DataPlane {
  /**
   * Refuses with: installation-unknown, installation-busy, installation-disabled, installation-suspended,
   * installation-saturated, cpu-budget-exhausted, plugin-route-unknown, method-not-allowed, token-missing, permission-denied, body-too-large,
   * PluginFaultError, and those of the sandbox. What was streamed has been sent; then `response` has no body.
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

/** Keeps what is needed to run an invocation again elsewhere. */
export interface RecordInvocations {
  /** Which outcomes of this invocation the sandbox shall hand out with their calls; from memory. */
  modeOf(installationId: string, seed: string, requested: boolean): 'always' | 'on-fault' | undefined;
  /** Must not block and must not throw. */
  keep(ended: EndedInvocation): void;
}

/** `outcome.recorded` is there. */
export interface EndedInvocation {
  installation: InstallationFacts;
  /** `GET /orders/:id`, `hook order.paid`, `schedule tidy` and the like. */
  job: string;
  invocation: Invocation;
  outcome: Outcome;
  /** In order; null where nothing was logged. */
  logs: LogRecord[] | null;
  /** Values that the host knows as secrets and this invocation had to do with. */
  secrets: readonly string[];
  requested: boolean;
}
