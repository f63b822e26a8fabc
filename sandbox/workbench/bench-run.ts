import { PLUGIN_FAULTS, type PluginFault } from '../../plugins-sdk/contract/errors.ts';
import { type GuestRecord, readRecords, type TurnHead, turnText } from '../../plugins-sdk/contract/turns.ts';
import { CallRecord } from '../call-record.ts';
import { monotonicMs } from '../clock.ts';
import type { Invocation, InvocationPorts, LogRecord, Outcome, Usage } from '../contract.ts';
import { SandboxRefusal } from '../errors.ts';
import { limitFault, roundTo3 } from '../limits.ts';
import { readFault } from '../read-fault.ts';
import type { TurnReply } from './messages.ts';

const LOG_NAME = /^(console|log):(debug|info|warn|error)$/;

/** The isolate or context that a run is in. */
export interface BenchRoom {
  /** By invocation id. */
  runs: Map<string, BenchRun>;
  /** Entries that have not returned. */
  entries: number;
  turn(head: string, body: string): Promise<TurnReply>;
}

/** One invocation on a workbench. The guest holds its own limits; time limits are off, because somebody looks on. */
export class BenchRun {
  readonly outcome: Promise<Outcome>;
  readonly #invocation: Invocation;
  readonly #ports: InvocationPorts;
  readonly #room: BenchRoom;
  readonly #calls: CallRecord;
  readonly #startedAtMs = monotonicMs();
  #cpuMs = 0;
  #turns = 0;
  #hostCalls = 0;
  #pending = 0;
  #heapMiB = 0;
  #logBytes = 0;
  #over = false;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: unknown) => void;

  constructor(invocation: Invocation, ports: InvocationPorts, room: BenchRoom) {
    this.#invocation = invocation;
    this.#ports = ports;
    this.#room = room;
    this.#calls = new CallRecord(invocation, ports);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    room.runs.set(invocation.invocationId, this);
    ports.signal?.addEventListener('abort', this.#onAbort);
  }

  begin(): void {
    const { invocationId: id, seed, startedAtMs: nowMs, limits, input } = this.#invocation;
    this.#calls.attach((seq, atMs, { ok, json }) => {
      this.#pending -= 1;
      void this.#enter({ op: 'result', id, seq, nowMs: atMs, ok }, json);
    });
    void this.#enter({ op: 'start', id, seed, nowMs, limits }, input);
  }

  async #enter(head: TurnHead, body: string): Promise<void> {
    if (this.#over) return;
    const room = this.#room;
    room.entries += 1;
    try {
      const reply = await room.turn(turnText(head), body);
      this.#turns += 1;
      this.#cpuMs += reply.cpuMs;
      this.#heapMiB = Math.max(this.#heapMiB, reply.usedMiB);
      this.#onReply(reply);
    } catch (error) {
      this.reject(error);
    } finally {
      room.entries -= 1;
    }
    if (room.entries > 0) return;
    const waits = [...room.runs.values()];
    if (waits.every((run) => run.#pending === 0)) for (const run of waits) run.#failStuck();
  }

  #onReply(reply: TurnReply): void {
    const { limits } = this.#invocation;
    switch (reply.ended) {
      case 'heap':
        this.fail(limitFault('heap-limit', 'heapMiB', limits.heapMiB));
        break;
      case 'timeout':
        this.fail(limitFault('cpu-limit', 'cpuMs', limits.cpuMs, this.#cpuMs));
        break;
      case 'broken':
        this.fail({ code: 'plugin-answer-invalid', message: reply.message });
        break;
      case 'returned':
        // A plugin may settle one of its invocations from a turn of another.
        for (const record of readRecords(reply.records)) {
          const run = this.#room.runs.get(record.id);
          if (run) run.#onRecord(record);
        }
    }
  }

  #onRecord({ op, seq, name, payload }: GuestRecord): void {
    if (op === 'call') {
      this.#pending += 1;
      if (name !== 'timer') this.#hostCalls += 1;
      this.#calls.issue(seq, name, payload);
    } else if (op === 'log') this.#onLog(name, payload);
    else if (op === 'done') {
      this.#settle({ status: 'completed', output: payload, usage: this.#usage(Buffer.byteLength(payload)) });
    } else this.fail(readFault(payload));
  }

  #onLog(name: string, json: string): void {
    const match = LOG_NAME.exec(name);
    if (match === null) return;
    this.#logBytes += Buffer.byteLength(json);
    const [, source, level] = match as unknown as [string, LogRecord['source'], LogRecord['level']];
    this.#ports.log({ source, level, json, atMs: this.#ports.nowMs?.() ?? Date.now() });
  }

  #failStuck(): void {
    const code = 'plugin-never-answered';
    const { lastHostCall } = this.#calls;
    this.fail({ code, message: PLUGIN_FAULTS[code], ...(lastHostCall && { lastHostCall }) });
  }

  fail(fault: PluginFault): void {
    this.#settle({ status: 'faulted', fault, usage: this.#usage(0) });
  }

  reject(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#reject(error);
  }

  #settle(outcome: Outcome): void {
    if (this.#over) return;
    this.#end();
    this.#resolve(outcome);
  }

  #end(): void {
    this.#over = true;
    this.#calls.close();
    this.#ports.signal?.removeEventListener('abort', this.#onAbort);
    this.#room.runs.delete(this.#invocation.invocationId);
  }

  #onAbort = (): void => {
    this.reject(new SandboxRefusal('invocation-aborted', this.#usage(0)));
    const head: TurnHead = { op: 'forget', id: this.#invocation.invocationId };
    this.#room.turn(turnText(head), '').catch(() => {});
  };

  #usage(outputBytes: number): Usage {
    return {
      cpuMs: roundTo3(this.#cpuMs),
      wallMs: roundTo3(monotonicMs() - this.#startedAtMs),
      turns: this.#turns,
      hostCalls: this.#hostCalls,
      heapMiB: roundTo3(this.#heapMiB),
      externalMiB: 0,
      logBytes: this.#logBytes,
      inputBytes: Buffer.byteLength(this.#invocation.input),
      outputBytes,
      queuedMs: 0,
      executions: 1,
    };
  }
}
