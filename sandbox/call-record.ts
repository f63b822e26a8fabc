import { CallsInFlight } from './calls-in-flight.ts';
import type { CallDivergence, HostCallResult, Invocation, InvocationPorts, RecordedCalls } from './contract.ts';

interface Call {
  name: string;
  args: string;
  result: HostCallResult | null;
}

/** Sends one result to the execution that waits for it. */
export type SendResult = (seq: number, nowMs: number, result: HostCallResult) => void;

/**
 * The host calls of one invocation with their results, in the order and at the clock in which the plugin saw them. Every
 * call is made once; an execution that repeats it gets what is recorded.
 */
export class CallRecord {
  /** The last one that is no timer, for example `kv.get`. */
  lastHostCall: string | undefined;
  readonly #invocation: Invocation;
  readonly #ports: InvocationPorts;
  readonly #inFlight: CallsInFlight;
  /** Take calls back that have not begun. */
  readonly #takeBack: (() => void)[] = [];
  /** Null where there never was one. */
  #timers: Set<NodeJS.Timeout> | null = null;
  readonly #calls: Call[] = [];
  /** Results in the order in which the plugin got them. */
  readonly #order: { seq: number; nowMs: number }[] = [];
  /** Results that have come and were not delivered to any execution. */
  readonly #settled: number[] = [];
  /** How far this execution is: calls it has made, entries of `#order` it has got. */
  #issued = 0;
  #delivered = 0;
  #nowMs: number;
  /** Null while no execution waits. */
  #send: SendResult | null = null;
  #closed = false;

  constructor(invocation: Invocation, ports: InvocationPorts, inFlight = new CallsInFlight()) {
    this.#invocation = invocation;
    this.#inFlight = inFlight;
    this.#ports = ports;
    this.#nowMs = invocation.startedAtMs;
    for (const call of ports.replay?.calls ?? []) this.#calls.push({ ...call });
    for (const turn of ports.replay?.turns ?? []) this.#order.push(turn);
  }

  /** An execution begins, the first or another. */
  attach(send: SendResult): void {
    this.#send = send;
    this.#issued = 0;
    this.#delivered = 0;
  }

  detach(): void {
    this.#send = null;
  }

  close(): void {
    this.#closed = true;
    this.detach();
    if (this.#timers !== null) for (const timer of this.#timers) clearTimeout(timer);
    // Nobody waits for them, and a plugin that never does must not fill the line.
    for (const takeBack of this.#takeBack) takeBack();
  }

  /** The execution makes a call. False where it does not repeat the recorded one: the results would be somebody else's. */
  issue(seq: number, name: string, args: string): boolean {
    const recorded = this.#calls[seq - 1];
    const repeats = !recorded || (recorded.name === name && recorded.args === args);
    if (seq !== this.#issued + 1 || !repeats || (!recorded && this.#ports.replay)) {
      this.#tell({
        seq,
        expected: recorded ? { name: recorded.name, args: recorded.args } : null,
        got: { name, args },
      });
      return false;
    }
    this.#issued = seq;
    if (name !== 'timer') this.lastHostCall = name;
    if (!recorded) this.#make(seq, { name, args, result: null });
    this.#deliver();
    return true;
  }

  /**
   * The execution has answered. False where an earlier one made calls that this answer does not know of; a replay of another
   * time tells of it, and its answer counts.
   */
  mayEnd(): boolean {
    const next = this.#calls[this.#issued];
    if (next === undefined) return true;
    const { name, args } = next;
    this.#tell({ seq: this.#issued + 1, expected: { name, args }, got: null });
    return this.#ports.replay !== undefined;
  }

  /** As another process can repeat it. */
  export(): RecordedCalls {
    return { calls: this.#calls.map((call) => ({ ...call })), turns: this.#order.slice() };
  }

  #tell(divergence: CallDivergence): void {
    this.#ports.replay?.onDivergence(divergence);
  }

  /** A call that no execution has made before. */
  #make(seq: number, call: Call): void {
    this.#calls.push(call);
    if (call.name === 'timer') this.#startTimer(seq, call.args);
    else this.#callHost(seq, call);
  }

  #callHost(seq: number, { name, args }: Call): void {
    const { invocationId, installationId, limits } = this.#invocation;
    const failed = (): HostCallResult => ({
      ok: false,
      json: '{"code":"capability-unavailable","message":"The host failed to carry out this call; try again later."}',
    });
    // The port must not reject; if it does all the same, the plugin gets an answer and the host lives.
    const begin = () =>
      new Promise<HostCallResult>((resolve) => {
        resolve(this.#ports.hostCall({ invocationId, installationId, seq, name, args }));
      }).then(
        (result) => this.#onResult(seq, result),
        () => this.#onResult(seq, failed()),
      );
    const takeBack = this.#inFlight.enter(installationId, name, limits.hostCallsInFlight, begin);
    if (takeBack !== null) this.#takeBack.push(takeBack);
  }

  #startTimer(seq: number, args: string): void {
    const delayMs = readDelayMs(args);
    // It cannot fire in time, so it need not be started; the wall limit ends the invocation.
    if (delayMs > this.#invocation.limits.wallMs) return;
    this.#timers ??= new Set();
    const timers = this.#timers;
    const timer = setTimeout(() => {
      timers.delete(timer);
      this.#onResult(seq, { ok: true, json: 'null' });
    }, delayMs);
    timers.add(timer);
  }

  #onResult(seq: number, result: HostCallResult): void {
    if (this.#closed) return;
    this.#calls[seq - 1]!.result = result;
    this.#settled.push(seq);
    this.#deliver();
  }

  /** Gives this execution every result that it may have now: first the recorded ones in their order, then new ones. */
  #deliver(): void {
    if (!this.#send) return;
    for (; this.#delivered < this.#order.length; this.#delivered++) {
      const { seq, nowMs } = this.#order[this.#delivered]!;
      if (seq > this.#issued) return;
      this.#send(seq, nowMs, this.#calls[seq - 1]!.result!);
    }
    while (this.#settled.length > 0 && this.#settled[0]! <= this.#issued) {
      const seq = this.#settled.shift()!;
      this.#nowMs = Math.max(this.#nowMs, this.#ports.nowMs?.() ?? Date.now());
      this.#order.push({ seq, nowMs: this.#nowMs });
      this.#delivered++;
      this.#send(seq, this.#nowMs, this.#calls[seq - 1]!.result!);
    }
  }
}

/** Milliseconds of `{"ms":n}`; what is no number is 0, as in browsers. */
function readDelayMs(args: string): number {
  try {
    const { ms } = JSON.parse(args) as { ms?: unknown };
    return typeof ms === 'number' && ms > 0 ? ms : 0;
  } catch {
    return 0;
  }
}
