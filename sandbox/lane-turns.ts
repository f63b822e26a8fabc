import { PLUGIN_FAULTS, type PluginFault, type PluginFaultCode } from '../plugins-sdk/contract/errors.ts';
import type { Limits } from '../plugins-sdk/contract/limits.ts';
import { isStreamCall } from '../plugins-sdk/contract/stream-calls.ts';
import { type GuestRecord, readRecords, type TurnHead, turnText } from '../plugins-sdk/contract/turns.ts';
import { monotonicMs } from './clock.ts';
import type { Entry } from './isolate/plugin-isolate.ts';
import type { Shelf } from './isolate-shelf.ts';
import type { LaneRun, Shelved } from './lane-run.ts';
import {
  brokenLimit,
  CALL_UNITS_MAX,
  FAULT_UNITS_MAX,
  LOG_OVERHEAD_FACTOR,
  LOG_OVERHEAD_UNITS,
  limitFault,
  NAME_UNITS_MAX,
  roundTo3,
  turnTimeoutMs,
} from './limits.ts';
import type { Cost, LaneMessage } from './messages.ts';
import { NumberTable } from './number-table.ts';
import type { TurnMeter, TurnTicket } from './turn-meter.ts';

/** How often the heap of an isolate is read: a reading costs 2 us. A turn that took its time is worth one of its own. */
const HEAP_PERIOD_MS = 20;
const HEAP_TURN_MS = 1;
/**
 * An isolate that is entered now and then is not read at every turn: reading one that is not in the processor's caches takes as long
 * as a light turn in it (100 of 200 us, 240 isolates in turn).
 */
const HEAP_TURNS = 8;
const HEAP_UNREAD_MS_MAX = 1_000;
/** One that holds so much of what it may is read at every turn. */
const NEARLY_FULL = 0.75;
const FORGET_TIMEOUT_MS = 50;

export interface LaneTurnsPorts {
  meter: TurnMeter;
  shelf: Shelf;
  send(message: LaneMessage, tail?: string): void;
}

/**
 * The turns of a lane: enters isolates, reads what the guests said, and ends invocations that broke a limit.
 * Every entry into an isolate is synchronous and inside `meter.measure`.
 */
export function createLaneTurns({ meter, shelf, send }: LaneTurnsPorts) {
  /** Executions on this lane, by ticket. */
  const runs = new NumberTable<LaneRun>();

  const costOf = (run: LaneRun): Cost => ({
    cpuMs: roundTo3(run.cpuMs),
    turns: run.turns,
    hostCalls: run.hostCalls,
    startedAtMs: roundTo3(run.startedAtMs),
    heapMiB: roundTo3(run.heapMiB),
    externalMiB: roundTo3(run.externalMiB),
  });

  /** The invocation is over here. */
  const leave = (run: LaneRun) => {
    runs.delete(run.ticket);
    run.isolate.runs.delete(run.ticket);
    run.isolate.pending -= run.pending;
    run.pending = 0;
    shelf.left(run.isolate);
  };

  const fail = (run: LaneRun, fault: PluginFault) => {
    send({ op: 'fault', ticket: run.ticket, cost: costOf(run) }, JSON.stringify(fault));
    leave(run);
  };

  /**
   * The isolate is lost: a culprit has been answered, all others are executed again elsewhere. Those inside may have caused it, and are
   * spoken of first: the host believes that others are lost only after a word on somebody who may have.
   */
  const lose = (isolate: Shelved, isInside: (run: LaneRun) => boolean = () => false) => {
    const others = [...isolate.runs.list(), ...isolate.waiting.splice(0).map(({ run }) => run)];
    for (const inside of [true, false]) {
      for (const run of others) {
        if (isInside(run) !== inside) continue;
        send({ op: 'interrupted', ticket: run.ticket, cost: costOf(run), inside });
        leave(run);
      }
    }
    shelf.retire(isolate);
  };

  /** The invocation is over: the guest must forget it. That costs a turn too, so `tell` says the last word after it. */
  const endInGuest = (run: LaneRun, tell: () => void) => {
    const { isolate } = run;
    const { plugin } = isolate;
    leave(run);
    if (!plugin || !shelf.isAlive(isolate)) {
      tell();
      return;
    }
    const head: TurnHead = { op: 'forget', id: run.id };
    const timeoutMs = meter.fitTimeout(FORGET_TIMEOUT_MS);
    const ticket = {
      text: run.text,
      timeoutMs,
      heapMiB: isolate.heapMiB,
      cpuLeftMs: FORGET_TIMEOUT_MS,
      wallLeftMs: FORGET_TIMEOUT_MS,
    };
    const entry = meter.measure(ticket, () => plugin.turn(turnText(head), '', timeoutMs));
    run.cpuMs += meter.last.cpuMs;
    tell();
    if (entry.ended === 'returned') read(run, entry.records);
    else lose(isolate);
  };

  const failInGuest = (run: LaneRun, fault: PluginFault) => {
    endInGuest(run, () => send({ op: 'fault', ticket: run.ticket, cost: costOf(run) }, JSON.stringify(fault)));
  };

  const overLimit = (run: LaneRun, code: PluginFaultCode, limit: keyof Limits, used: number) =>
    limitFault(code, limit, run.limits[limit], used, run.lastHostCall);

  const overWall = (run: LaneRun) =>
    overLimit(run, 'wall-limit', 'wallMs', run.limits.wallMs + Math.max(0, monotonicMs() - run.deadlineMs));

  /** Counts text that the host keeps; where it is too much, the invocation is over. */
  const takesUnits = (run: LaneRun, units: number): boolean => {
    run.callUnits += units;
    if (run.callUnits <= CALL_UNITS_MAX) return true;
    failInGuest(run, limitFault('host-call-limit', 'hostCallBytes', CALL_UNITS_MAX, run.callUnits, run.lastHostCall));
    return false;
  };

  const onCall = (run: LaneRun, { seq, name, payload }: GuestRecord) => {
    if (seq !== run.calls + 1 || name.length > NAME_UNITS_MAX) {
      failInGuest(run, {
        code: 'plugin-answer-invalid',
        message: `Host call ${seq} (${name.slice(0, 64)}) is malformed.`,
      });
      return;
    }
    if (!takesUnits(run, payload.length)) return;
    run.calls = seq;
    if (name === 'timer') run.timers++;
    else if (isStreamCall(name)) run.pieces++;
    else {
      run.hostCalls++;
      run.lastHostCall = name;
    }
    if (run.hostCalls > run.limits.hostCalls) {
      failInGuest(run, overLimit(run, 'host-call-limit', 'hostCalls', run.hostCalls));
    } else if (run.timers > run.limits.timers) {
      failInGuest(run, overLimit(run, 'host-call-limit', 'timers', run.timers));
    } else if (run.pieces > run.limits.pieces) {
      failInGuest(run, overLimit(run, 'host-call-limit', 'pieces', run.pieces));
    } else {
      run.pending++;
      run.isolate.pending++;
      run.turnsTold = run.turns;
      send({ op: 'call', ticket: run.ticket, seq, name, cost: costOf(run) }, payload);
    }
  };

  const onLog = (run: LaneRun, { seq, name, payload }: GuestRecord) => {
    run.logUnits += payload.length + LOG_OVERHEAD_UNITS;
    if (run.logUnits > run.limits.logBytes * LOG_OVERHEAD_FACTOR || name.length > NAME_UNITS_MAX) return;
    send({ op: 'log', ticket: run.ticket, seq, name }, payload);
  };

  const onDone = (run: LaneRun, output: string) => {
    const outputBytes = Buffer.byteLength(output);
    if (outputBytes > run.limits.outputBytes) {
      fail(run, overLimit(run, 'output-too-large', 'outputBytes', outputBytes));
    } else if (run.cpuMs > run.limits.cpuMs) {
      fail(run, overLimit(run, 'cpu-limit', 'cpuMs', run.cpuMs));
    } else if (monotonicMs() > run.deadlineMs) {
      fail(run, overWall(run));
    } else {
      send({ op: 'done', ticket: run.ticket, cost: costOf(run), outputBytes }, output);
      leave(run);
    }
  };

  const onFault = (run: LaneRun, json: string) => {
    if (json.length > FAULT_UNITS_MAX) {
      fail(run, { code: 'plugin-answer-invalid', message: 'The plugin broke the guest runtime.' });
      return;
    }
    send({ op: 'fault', ticket: run.ticket, cost: costOf(run) }, json);
    leave(run);
  };

  /** Whom of those inside a record is about: nearly always the one whose turn it was. */
  const runOf = (current: LaneRun, id: string): LaneRun | undefined => {
    const inside = current.isolate.runs;
    if (current.id === id && inside.has(current.ticket)) return current;
    return inside.find((run) => run.id === id);
  };

  /** Passes on what the guest said. A guest that says something it cannot say has been taken over: its isolate goes. */
  const read = (current: LaneRun, text: string) => {
    let records: GuestRecord[];
    try {
      records = readRecords(text);
    } catch {
      fail(current, { code: 'plugin-answer-invalid', message: 'The plugin broke the guest runtime.' });
      lose(current.isolate);
      return;
    }
    for (const record of records) {
      // A plugin may settle one of its invocations from a turn of another; of other isolates it knows nothing.
      const run = runOf(current, record.id);
      if (!run) continue;
      if (record.op === 'call') onCall(run, record);
      else if (record.op === 'log') onLog(run, record);
      else if (record.op === 'done') onDone(run, record.payload);
      else onFault(run, record.payload);
    }
  };

  /** With nothing pending in the whole isolate, whoever is still inside waits for ever. */
  const failStuck = (isolate: Shelved) => {
    if (isolate.pending > 0 || isolate.runs.size === 0) return;
    for (const run of isolate.runs.list()) {
      const code = 'plugin-never-answered';
      if (runs.has(run.ticket)) {
        failInGuest(run, {
          code,
          message: PLUGIN_FAULTS[code],
          ...(run.lastHostCall ? { lastHostCall: run.lastHostCall } : {}),
        });
      }
    }
  };

  /** False where the isolate held more than it may, and is gone. */
  const readHeap = (run: LaneRun, ticket: TurnTicket): boolean => {
    const { isolate } = run;
    const plugin = isolate.plugin!;
    const nowMs = performance.now();
    const unreadMs = nowMs - isolate.usedReadAtMs;
    isolate.unreadTurns++;
    const isDue = unreadMs >= HEAP_PERIOD_MS && (isolate.unreadTurns >= HEAP_TURNS || unreadMs >= HEAP_UNREAD_MS_MAX);
    const isNearlyFull = isolate.usedMiB > plugin.limitMiB * NEARLY_FULL;
    const isRead = isDue || isNearlyFull || meter.last.elapsedMs >= HEAP_TURN_MS;
    if (isRead) {
      isolate.usedReadAtMs = nowMs;
      isolate.unreadTurns = 0;
      Object.assign(isolate, plugin.memory());
    }
    run.heapMiB = Math.max(run.heapMiB, isolate.usedMiB);
    run.externalMiB = Math.max(run.externalMiB, isolate.externalMiB);
    if (!isRead || isolate.usedMiB <= plugin.limitMiB) return true;
    const isOverfull = meter.measure(ticket, () => plugin.isOverfull());
    run.cpuMs += meter.last.cpuMs;
    if (!isOverfull) Object.assign(isolate, plugin.memory());
    return !isOverfull;
  };

  /** A turn that did not end by itself. */
  const afterLostTurn = (run: LaneRun, ended: 'timeout' | 'heap' | 'broken') => {
    const { isolate, limits } = run;
    if (ended === 'heap') {
      fail(run, limitFault('heap-limit', 'heapMiB', limits.heapMiB, undefined, run.lastHostCall));
    } else if (ended === 'timeout') {
      const wallLeftMs = run.deadlineMs - monotonicMs();
      const code = brokenLimit({ cpuMs: run.cpuMs, cpuMsMax: limits.cpuMs, wallLeftMs });
      if (code === 'cpu-limit') fail(run, overLimit(run, code, 'cpuMs', run.cpuMs));
      else if (code === 'wall-limit') fail(run, overWall(run));
    }
    lose(isolate, (other) => other === run);
  };

  const enter = (run: LaneRun, head: TurnHead, body: string) => {
    const { isolate, limits } = run;
    const wallLeftMs = run.deadlineMs - monotonicMs();
    if (wallLeftMs <= 0) {
      failInGuest(run, overWall(run));
      failStuck(isolate);
      return;
    }
    const timeoutMs = meter.fitTimeout(turnTimeoutMs(limits.cpuMs - run.cpuMs, wallLeftMs, run.execution));
    const plugin = isolate.plugin!;
    if (run.startedAtMs === 0) run.startedAtMs = monotonicMs();
    const text = turnText(head);
    const cpuLeftMs = limits.cpuMs - run.cpuMs;
    const ticket = { text: run.text, timeoutMs, heapMiB: isolate.heapMiB, cpuLeftMs, wallLeftMs };
    const entry: Entry = meter.measure(ticket, () => plugin.turn(text, body, timeoutMs));
    run.turns++;
    run.cpuMs += meter.last.cpuMs;
    if (entry.ended !== 'returned') {
      afterLostTurn(run, entry.ended);
      return;
    }
    if (!readHeap(run, ticket)) {
      afterLostTurn(run, 'heap');
      return;
    }
    read(run, entry.records);
    if (run.cpuMs > limits.cpuMs && runs.has(run.ticket))
      failInGuest(run, overLimit(run, 'cpu-limit', 'cpuMs', run.cpuMs));
    failStuck(isolate);
    // The host sends only a little ahead, so it wants to know of every turn that has ended.
    if (run.turnsTold < run.turns && runs.has(run.ticket)) {
      run.turnsTold = run.turns;
      send({ op: 'turn', ticket: run.ticket, cost: costOf(run) });
    }
  };

  return { runs, enter, fail, leave, lose, endInGuest, failStuck, overWall, costOf, takesUnits };
}

export type LaneTurns = ReturnType<typeof createLaneTurns>;
