import type { Limits, PluginFault } from '../plugins-sdk/contract/index.ts';
import type { ConfinementMode } from './confinement/detect-confinement.ts';

/** Runs untrusted bundles in isolates. Implementation: lanes (piscina threads) in cordons (forked, unprivileged processes). */
export interface Sandbox {
  /**
   * Runs one invocation to its end. Resolves with what the plugin answered or did wrong; a cordon that dies under an
   * innocent invocation is invisible here: it is executed again elsewhere and fed the recorded results of its host calls.
   * Refuses with: sandbox-saturated, sandbox-interrupted, sandbox-closed, invocation-aborted (SandboxRefusal).
   */
  invoke(invocation: Invocation, ports: InvocationPorts): Promise<Outcome>;
  /** Forgets the isolates of an installation (disabled, reconfigured, uninstalled) once their invocations have ended. */
  evict(installationId: string): void;
  /** Ends all invocations of an installation with `sandbox-interrupted`; for one that must not go on breaking cordons. */
  stop(installationId: string): void;
  /** Cordons, lanes and isolates as they are now; for metrics, `doctor` and tests. */
  status(): SandboxStatus;
  /** Lets running invocations finish for at most `drainMs`, then kills the cordons. */
  close(drainMs: number): Promise<void>;
}

/** One execution of one bundle: a pure function of these fields and of the results of its host calls. */
export interface Invocation {
  /** No white space; unique while it runs. */
  invocationId: string;
  /** Decides the lane (so that isolates stay warm) and owns the isolate. No white space. */
  installationId: string;
  /** SHA-256 of the bundle's code, lower-case hex. */
  digest: string;
  /** A GuestInput as `inputText` writes it; the sandbox does not look inside. */
  input: string;
  /** 64 hex digits. */
  seed: string;
  /** Milliseconds since 1970 at the start; later turns get the host's clock at the time of their cause. */
  startedAtMs: number;
  limits: Limits;
  /** Runs in a cordon where no other installation runs. */
  solitary?: boolean;
}

export interface HostCallRequest {
  invocationId: string;
  installationId: string;
  /** 1, 2, ... within the invocation: with `invocationId` the idempotency key of any effect. */
  seq: number;
  /** Such as `kv.get`. */
  name: string;
  /** JSON text from the plugin: hostile until validated. */
  args: string;
}

/** `json` is the value, or a CapabilityRefusal where `ok` is false. */
export interface HostCallResult {
  ok: boolean;
  json: string;
}

export interface LogRecord {
  source: 'console' | 'log';
  level: 'debug' | 'info' | 'warn' | 'error';
  /** JSON text `{"message":string,"facts"?:object}` from the plugin: hostile until parsed. */
  json: string;
  atMs: number;
}

/**
 * As much of an AbortSignal as it takes to be told; whoever makes one for each invocation may have something cheaper. Listeners are told
 * once, and those that come afterwards never.
 */
export interface AbortNotice {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface InvocationPorts {
  /** Must not reject; a fault of the host is a result too. Called at most once per (invocationId, seq). */
  hostCall(call: HostCallRequest): Promise<HostCallResult>;
  /** Called at most once per record, in order. */
  log(record: LogRecord): void;
  /** Aborting ends the invocation with `invocation-aborted`. */
  signal?: AbortNotice;
  /** The clock of later turns and of log records, in milliseconds since 1970; the system's where absent. */
  nowMs?(): number;
  /** Which outcomes come with the record of their calls: all, or faults alone. None where absent. */
  record?: 'always' | 'on-fault';
  /** Repeats an invocation of another time: no call is made, `hostCall` is never called. */
  replay?: Replay;
}

/**
 * What the plugin learned from outside in the course of one invocation. With bundle, input, seed and start it is all that the
 * invocation depends on.
 */
export interface RecordedCalls {
  /** By `seq`, which counts from 1; the name `timer` is a timer. `result` is null where none came in time. */
  calls: { name: string; args: string; result: HostCallResult | null }[];
  /** The turns after the first: which result caused it, and the clock that it showed. */
  turns: { seq: number; nowMs: number }[];
}

export interface Replay extends RecordedCalls {
  /**
   * Called at the first call that is not the recorded one, or where an answer comes before all calls were made (`got` is null).
   * In the first case the invocation ends with `sandbox-interrupted`, for nobody knows what would have been answered.
   */
  onDivergence(divergence: CallDivergence): void;
}

export interface CallDivergence {
  seq: number;
  /** Null where the record has no more calls. */
  expected: { name: string; args: string } | null;
  got: { name: string; args: string } | null;
}

/** What one invocation cost. Where it was executed more than once, CPU time, turns and memory are those of the last time. */
export interface Usage {
  cpuMs: number;
  wallMs: number;
  turns: number;
  hostCalls: number;
  /**
   * The most that the isolate held after a turn of this invocation: V8 heap and the buffers outside of it, in MiB. It is
   * shared by invocations of the same installation.
   */
  heapMiB: number;
  /** The buffers outside of the V8 heap alone. */
  externalMiB: number;
  /** Log records that were kept, as JSON. */
  logBytes: number;
  inputBytes: number;
  outputBytes: number;
  /** Milliseconds between arrival and the first turn. */
  queuedMs: number;
  /** Times the invocation was executed: 1 and one for every cordon that died under it. */
  executions: number;
}

export type Outcome = (
  | { status: 'completed'; output: string; usage: Usage }
  | { status: 'faulted'; fault: PluginFault; usage: Usage }
) & {
  /** Where the ports ask for it. */
  recorded?: RecordedCalls;
};

/**
 * `pool` runs whatever comes, `spare` waits to take the place of one that dies or is recycled, `solitary` runs one
 * installation, `quarantine` those of which one has killed a cordon and nothing tells which, `probation` those that broke a limit not
 * long ago and, while somebody does, newcomers; with a spare of their own.
 */
export type CordonKind = 'pool' | 'spare' | 'solitary' | 'quarantine' | 'probation';

export interface CordonStatus {
  kind: CordonKind;
  pid: number;
  /** A draining cordon ends the invocations that it has and gets no new ones. */
  state: 'starting' | 'ready' | 'draining' | 'dying';
  startedAtMs: number;
  lanes: number;
  running: number;
  /** Memory of the process at the last look, two looks a second; 0 before the first. */
  residentMiB: number;
  /** Whom a solitary cordon is for. */
  installationId: string | null;
}

export interface SandboxStatus {
  cordons: CordonStatus[];
  isolates: number;
  running: number;
  cordonDeaths: number;
  /** Cordons that were replaced because of their age or size. */
  cordonsRecycled: number;
  /** The last start of a cordon failed, and none has succeeded since. */
  alarm: SandboxAlarm | null;
}

/** A cordon does not start. It is tried again until it does, with pauses that grow to ten seconds. */
export interface SandboxAlarm {
  code: 'cordon-start-failed';
  kind: CordonKind;
  /** In a row. */
  failures: number;
  /** What the process said. */
  why: string;
  retryInMs: number;
}

/** What a sandbox needs from whoever composes it. */
export interface SandboxPorts {
  /** The code of a bundle; called for every isolate that is made. The caller verifies digest and signatures here. */
  loadBundle(digest: string): Promise<string>;
  /** The guest runtime, a script that texts of parts may follow; see plugins-sdk/guest and plugins-sdk/contract/guest-text.ts. */
  guest: string;
  /** Called for every cordon that died unasked, with the invocation that was in its turn where it is to blame. */
  onCordonDeath?(death: CordonDeath): void;
  /** Called for CPU time that is part of no outcome; together with the outcomes it is all that was spent in isolates. */
  onExtraCpu?(extra: ExtraCpu): void;
  /** Called for every start of a cordon that failed, with growing pauses. */
  onAlarm?(alarm: SandboxAlarm): void;
  /**
   * Makes every lane profile itself for some seconds once it is busy, and gets the CPU profile as JSON. For benchmarks: it slows lanes
   * down, and leaves Node's inspector open to them until they have started.
   */
  onProfile?(json: string): void;
}

/**
 * CPU time of an installation beside its invocations' own. `start-up`: an isolate and the top-level code of its bundle. `after-end`: turns of an
 * invocation after it was answered or refused, and what the host does for calls that it did not wait for. `repeated`: executions that were
 * lost with their isolate or cordon.
 */
export interface ExtraCpu {
  why: 'start-up' | 'after-end' | 'repeated';
  installationId: string;
  digest: string;
  cpuMs: number;
}

export interface CordonDeath {
  pid: number;
  atMs: number;
  /** `distrusted`: it said what no cordon says, as one does that was taken over, and the host killed it. */
  reason: 'overdue' | 'overgrown' | 'aborted' | 'killed' | 'exited' | 'distrusted';
  /** What a distrusted one said. Nobody is named as culprit: in a process that was taken over nothing tells who did it. */
  why?: string;
  /** Exit code or signal, as the operating system told it. */
  exit: string;
  /** Who was inside a turn, when the cordon's own behaviour was the cause; empty after a kill from outside. */
  culprits: Culprit[];
}

/** Whose turn a cordon died of. */
export interface Culprit {
  invocationId: string;
  installationId: string;
  digest: string;
  /** What the invocation ended with; absent where it had ended before its cordon did. */
  fault?: PluginFault;
}

export interface SandboxOptions {
  cordons: number;
  lanesPerCordon: number;
  /** Invocations that may wait for one lane before `sandbox-saturated`. */
  queuePerLane: number;
  /** Isolates that one lane keeps warm. */
  isolatesPerLane: number;
  /** Whether one cordon more than `cordons` waits, started and empty, to take the place of one that dies; true where absent. */
  spare?: boolean;
  /**
   * Whether installations that broke a limit run apart for a while, in cordons that are started when that happens; as `spare` where
   * absent.
   */
  probation?: boolean;
  /** Memory of one cordon, above which it is killed; 1,024 where absent. It is recycled from 70 % of that on. */
  residentMiBMax?: number;
  /** Age at which a cordon is recycled; one hour where absent. */
  cordonAgeMsMax?: number;
  /** Installations that have a cordon of their own at the same time; 4 where absent. More wait for their turn. */
  solitaryMax?: number;
  /** What the kernel is to take from cordons; `auto` where absent. See confinement/layers.ts. */
  confinement?: ConfinementMode;
  /**
   * Microseconds for which host and lane look for each other's words before they sleep, while there is one invocation at a time; 500 where
   * absent. 0: they sleep at once, as on a machine with one core. See busy-poll.ts.
   */
  busyPollUs?: number;
  /** How long a cordon of one installation is kept after its last invocation; 30 seconds where absent. */
  solitaryIdleMs?: number;
}
