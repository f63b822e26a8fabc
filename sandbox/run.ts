import type { PluginFault } from '../plugins-sdk/contract/errors.ts';
import type { OpenTurn } from './black-box.ts';
import { CallRecord } from './call-record.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { monotonicMs } from './clock.ts';
import type { Invocation, InvocationPorts, LogRecord, Outcome, Usage } from './contract.ts';
import { SandboxRefusal, type SandboxRefusalCode } from './errors.ts';
import type { LaneLine } from './lane-line.ts';
import { limitFault, roundTo3 } from './limits.ts';
import type { Cost, HostMessage, LaneMessage } from './messages.ts';
import type { NumberTable } from './number-table.ts';
import { readFault } from './read-fault.ts';
import { startFrame } from './start-frame.ts';

/** The lane answers `expire` at once unless it is inside somebody's turn; the watchdog ends that one within this time. */
const EXPIRE_GRACE_MS = 250;
const NO_COST: Cost = { cpuMs: 0, turns: 0, hostCalls: 0, startedAtMs: 0, heapMiB: 0, externalMiB: 0 };
/** More than any lane queues. */
const LEAVING_MAX = 10_000;
const LOG_NAME = /^(console|log):(debug|info|warn|error)$/;

/** Whom CPU time was billed to, and how much. */
export interface Billed {
  installationId: string;
  digest: string;
  cpuMs: number;
}

/** What a run needs of the lane that it is on. */
export interface RunLane {
  cordon: { state: 'starting' | 'ready' | 'dying'; used: boolean; openTurns(): OpenTurn[] };
  /** Invocations on the lane, by ticket. */
  runs: NumberTable<Run>;
  /** What was billed to executions on which the lane has not said its last word, though they are over here. */
  leaving: Map<number, Billed>;
  /** How many of them the lane has not begun. */
  waiting: number;
  /** Whoever is to compute there stands in it. */
  line: Pick<LaneLine, 'start' | 'goOn' | 'drop' | 'isHeld'>;
  send(message: HostMessage, tail?: string): void;
}

export interface RunHooks {
  /** Host calls of all runs. */
  callsInFlight: CallsInFlight;
  /** The run was settled; it is on no lane any more. */
  onOver(run: Run): void;
}

let made = 0;

/**
 * One invocation from arrival to answer, across all its executions. Its record of calls is what an execution elsewhere
 * needs to come to the same point.
 */
export class Run {
  /** Runs are numbered as they come. */
  readonly number = ++made;
  readonly invocation: Invocation;
  readonly deadlineMs: number;
  /** When `onDue` is to be called: at the deadline, and once more where the lane does not answer then. */
  dueMs: number;
  readonly outcome: Promise<Outcome>;
  executions = 0;
  /** How many of them ended with the death of their cordon or isolate inside one of its turns. */
  losses = 0;
  over = false;
  /** How it ended; null while it runs, and where it was refused. */
  ended: Outcome | null = null;
  /** Executed where it is the only one on its cordon's only lane, because it may have killed the last one. */
  suspect = false;
  lane: RunLane | null = null;
  ticket = 0;
  /** The lane has said something of this execution. */
  begun = false;
  cost: Cost = NO_COST;
  /** The lane has said its last word on this execution. */
  #left = false;
  /** Where it waits for a cordon. */
  #parkedIn: Set<Run> | null = null;

  readonly #ports: InvocationPorts;
  readonly #hooks: RunHooks;
  readonly #arrivedAtMs = monotonicMs();
  readonly #calls: CallRecord;
  #logsSeen = 0;
  #logBytes = 0;
  #firstTurnAtMs = 0;
  #inputBytes: number;
  /** The lane was told that the time is up. */
  #expired = false;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: unknown) => void;

  constructor(invocation: Invocation, ports: InvocationPorts, hooks: RunHooks) {
    this.invocation = invocation;
    this.#ports = ports;
    this.#hooks = hooks;
    this.#calls = new CallRecord(invocation, ports, hooks.callsInFlight);
    this.#inputBytes = Buffer.byteLength(invocation.input);
    this.deadlineMs = this.#arrivedAtMs + invocation.limits.wallMs;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.dueMs = this.deadlineMs;
    ports.signal?.addEventListener('abort', this.#onAbort);
  }

  get lastHostCall(): string | undefined {
    return this.#calls.lastHostCall;
  }

  /** Waits in `runs` until there is a cordon, or until it is over. */
  park(runs: Set<Run>): void {
    this.unpark();
    this.#parkedIn = runs.add(this);
  }

  unpark(): void {
    this.#parkedIn?.delete(this);
    this.#parkedIn = null;
  }

  /** Sends the invocation to a lane, for the first time or again. */
  begin(lane: RunLane, ticket: number): void {
    const { installationId, input } = this.invocation;
    this.lane = lane;
    this.ticket = ticket;
    this.executions++;
    this.begun = false;
    this.#left = false;
    this.cost = NO_COST;
    this.#calls.attach((seq, nowMs, { ok, json }) => lane.line.goOn({ op: 'result', ticket, seq, nowMs, ok }, json));
    lane.runs.set(ticket, this);
    lane.waiting++;
    const { deadlineMs, executions: execution } = this;
    lane.line.start(installationId, startFrame(this.invocation, { ticket, execution, deadlineMs }), input);
  }

  /** Takes the invocation off its lane: answered, or to be executed elsewhere. */
  detach(): void {
    const { lane } = this;
    if (!lane) return;
    this.lane = null;
    this.#calls.detach();
    lane.runs.delete(this.ticket);
    if (lane.line.drop(this.ticket)) this.#left = true;
    if (!this.begun) lane.waiting--;
    if (!this.#left) this.#leaveOpen(lane.leaving);
  }

  /** Takes it out of the line in which it stands; false where its lane has it already, or another than all others. */
  stepBack(): boolean {
    if (this.suspect || this.invocation.solitary || !this.lane?.line.isHeld(this.ticket)) return false;
    this.detach();
    this.executions--;
    return true;
  }

  /** A lane that never says its last words must not fill the host's memory. */
  #leaveOpen(leaving: Map<number, Billed>): void {
    const [oldest] = leaving.keys();
    if (leaving.size >= LEAVING_MAX) leaving.delete(oldest!);
    const { installationId, digest } = this.invocation;
    leaving.set(this.ticket, { installationId, digest, cpuMs: this.cost.cpuMs });
  }

  /** The lane has lost this execution; what it cost is billed to none of its successors. */
  interrupted(): void {
    this.#left = true;
    this.cost = NO_COST;
    this.detach();
  }

  onMessage(message: LaneMessage, tail: string): void {
    if (!this.begun) {
      this.begun = true;
      this.lane!.waiting--;
    }
    if ('cost' in message) {
      this.cost = message.cost;
      this.#firstTurnAtMs ||= message.cost.startedAtMs;
    }
    switch (message.op) {
      case 'call':
        if (!this.#calls.issue(message.seq, message.name, tail)) this.#diverge();
        break;
      case 'turn':
        break;
      case 'log':
        this.#onLog(message.seq, message.name, tail);
        break;
      case 'done':
        this.#left = true;
        this.#onDone(tail, message.outputBytes);
        break;
      case 'fault':
        this.#left = true;
        this.#failUnlessInterrupted(readFault(tail));
        break;
      default:
        throw new Error(`${message.op} is not about an invocation`);
    }
  }

  #onDone(output: string, outputBytes: number): void {
    // An earlier execution has made calls that this answer does not know of.
    if (!this.#calls.mayEnd()) this.#diverge();
    else this.#settle({ status: 'completed', output, usage: this.#usage(outputBytes) });
  }

  /** It is known to have been inside a turn, though its lane could not say so any more. */
  wasInside(turnStartedAtMs: number): void {
    this.#firstTurnAtMs ||= turnStartedAtMs;
  }

  fail(fault: PluginFault): void {
    // A wall limit that was reached before the first turn says that the machine is full, not that the plugin is slow.
    if (fault.code === 'wall-limit' && this.#firstTurnAtMs === 0) this.refuse('sandbox-saturated');
    else this.#settle({ status: 'faulted', fault, usage: this.#usage(0) });
  }

  /** After the death of a cordon much of the time was the sandbox's, so a plugin is not called slow for it. */
  #failUnlessInterrupted(fault: PluginFault): void {
    if (fault.code === 'wall-limit' && this.executions > 1) this.refuse('sandbox-interrupted');
    else this.fail(fault);
  }

  refuse(code: SandboxRefusalCode): void {
    this.reject(new SandboxRefusal(code, this.executions === 0 ? null : this.#usage(0)));
  }

  reject(error: unknown): void {
    if (this.over) return;
    this.#end();
    this.#reject(error);
  }

  /** Ends an execution that the lane still believes in. */
  forget(): void {
    this.lane?.send({ op: 'forget', ticket: this.ticket });
  }

  #settle(outcome: Outcome): void {
    if (this.over) return;
    const { record } = this.#ports;
    if (record !== undefined && (record === 'always' || outcome.status === 'faulted')) {
      outcome.recorded = this.#calls.export();
    }
    this.ended = outcome;
    this.#end();
    this.#resolve(outcome);
  }

  #end(): void {
    this.over = true;
    this.#calls.close();
    this.#ports.signal?.removeEventListener('abort', this.#onAbort);
    this.unpark();
    this.detach();
    this.#hooks.onOver(this);
  }

  #onAbort = (): void => {
    this.forget();
    this.refuse('invocation-aborted');
  };

  /** Its time is up. */
  onDue(): void {
    if (this.over) return;
    if (this.#expired) this.#onWallBackstop();
    else this.#onWall();
  }

  #onWall(): void {
    if (!this.lane) {
      this.refuse(this.executions === 0 ? 'sandbox-saturated' : 'sandbox-interrupted');
      return;
    }
    // It still stands in line, where no lane can answer for it.
    if (this.lane.line.drop(this.ticket)) {
      this.#left = true;
      this.#failUnlessInterrupted(this.#overWall());
      return;
    }
    this.lane.send({ op: 'expire', ticket: this.ticket });
    this.#expired = true;
    this.dueMs = monotonicMs() + EXPIRE_GRACE_MS;
  }

  /** The lane did not answer: it is inside a turn, of this invocation or of another. */
  #onWallBackstop(): void {
    const { invocationId } = this.invocation;
    const turns = this.lane && this.lane.cordon.state !== 'dying' ? this.lane.cordon.openTurns() : [];
    const open = turns.find((turn) => turn.invocationId === invocationId);
    if (open) this.wasInside(open.startedAtMs);
    const fault = this.#overWall();
    if (open) this.fail(fault);
    else this.#failUnlessInterrupted(fault);
  }

  #overWall(): PluginFault {
    const { wallMs } = this.invocation.limits;
    return limitFault('wall-limit', 'wallMs', wallMs, monotonicMs() - this.#arrivedAtMs, this.lastHostCall);
  }

  /** The execution does not repeat the recorded one, so its results would be somebody else's. */
  #diverge(): void {
    this.forget();
    this.refuse('sandbox-interrupted');
  }

  #onLog(seq: number, name: string, json: string): void {
    if (seq <= this.#logsSeen) return;
    this.#logsSeen = seq;
    this.#logBytes += Buffer.byteLength(json);
    const match = LOG_NAME.exec(name);
    if (!match) return;
    const [, source, level] = match as unknown as [string, LogRecord['source'], LogRecord['level']];
    this.#ports.log({ source, level, json, atMs: this.#ports.nowMs?.() ?? Date.now() });
  }

  #usage(outputBytes: number): Usage {
    const endedAtMs = monotonicMs();
    const { cpuMs, turns, hostCalls, heapMiB, externalMiB } = this.cost;
    return {
      cpuMs,
      wallMs: roundTo3(endedAtMs - this.#arrivedAtMs),
      turns,
      hostCalls,
      heapMiB,
      externalMiB,
      logBytes: this.#logBytes,
      inputBytes: this.#inputBytes,
      outputBytes,
      queuedMs: roundTo3(Math.max(0, (this.#firstTurnAtMs || endedAtMs) - this.#arrivedAtMs)),
      executions: this.executions,
    };
  }
}
