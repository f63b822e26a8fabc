import type { PluginFault } from '../plugins-sdk/contract/errors.ts';
import { startUpText, turnText } from './black-box.ts';
import { monotonicMs } from './clock.ts';
import { createCodeShelf } from './code-shelf.ts';
import type { BundleScript } from './isolate/plugin-isolate.ts';
import type { Shelf } from './isolate-shelf.ts';
import type { LaneRun, Shelved } from './lane-run.ts';
import type { LaneTurns } from './lane-turns.ts';
import { limitFault, roundTo3, turnTimeoutMs } from './limits.ts';
import type { HostMessage, LaneMessage } from './messages.ts';
import type { TurnMeter } from './turn-meter.ts';

export interface LaneRunsPorts {
  meter: TurnMeter;
  shelf: Shelf;
  turns: LaneTurns;
  send(message: LaneMessage, tail?: string): void;
}

/** Carries out what the host says to a lane. */
export function createLaneRuns({ meter, shelf, turns, send }: LaneRunsPorts) {
  const codes = createCodeShelf();
  /** What was kept when the host was asked whether it may still run, by isolate: it must be there when the answer comes. */
  const asked = new Map<number, BundleScript>();
  const { runs, enter, fail, leave, lose, endInGuest, failStuck, overWall, costOf, takesUnits } = turns;

  const begin = (run: LaneRun, input: string) => {
    const { outputBytes, hostCalls, timers, pieces, logBytes } = run.limits;
    run.isolate.runs.set(run.ticket, run);
    const limits = { outputBytes, hostCalls, timers, pieces, logBytes };
    enter(run, { op: 'start', id: run.id, seed: run.seed, nowMs: run.nowMs, limits }, input);
  };

  const ask = ({ isolate, installationId, digest }: Shelved) => {
    const kept = codes.get(digest);
    if (kept) asked.set(isolate, kept);
    send({ op: 'need', isolate, installationId, digest, has: kept !== undefined });
  };

  const onStart = (message: Extract<HostMessage, { op: 'start' }>, input: string) => {
    const { ticket, execution, id, installationId, digest, limits, deadlineMs, seed, nowMs } = message;
    let isolate = shelf.find(installationId, digest);
    if (!isolate) {
      isolate = shelf.reserve(installationId, digest, limits.heapMiB);
      ask(isolate);
    }
    const run: LaneRun = {
      ticket,
      execution,
      id,
      text: turnText(id, installationId, digest),
      isolate,
      limits,
      deadlineMs,
      seed,
      nowMs,
      cpuMs: 0,
      turns: 0,
      turnsTold: 0,
      calls: 0,
      hostCalls: 0,
      timers: 0,
      pieces: 0,
      pending: 0,
      callUnits: 0,
      logUnits: 0,
      startedAtMs: 0,
      heapMiB: 0,
      externalMiB: 0,
    };
    runs.set(ticket, run);
    if (isolate.plugin) begin(run, input);
    else isolate.waiting.push({ run, input });
  };

  /** Runs the bundle's top-level code for the invocations that wait for it; its CPU time is told apart from theirs. */
  const onBundle = (isolate: Shelved, bundle: BundleScript) => {
    const first = isolate.waiting[0]?.run;
    if (!first) {
      shelf.retire(isolate);
      return;
    }
    const { limits } = first;
    const wallLeftMs = Math.max(...isolate.waiting.map(({ run }) => run.deadlineMs)) - monotonicMs();
    const { plugin, cpuMs: madeInMs } = shelf.takeIsolate(isolate.heapMiB);
    isolate.plugin = plugin;
    const timeoutMs = meter.fitTimeout(turnTimeoutMs(limits.startupCpuMs, wallLeftMs, first.execution));
    const { heapMiB } = isolate;
    const text = startUpText(first.text);
    const ticket = { text, timeoutMs, heapMiB, cpuLeftMs: limits.startupCpuMs, wallLeftMs };
    const startUp = meter.measure(ticket, () => plugin.start(bundle, timeoutMs));
    const { cpuMs } = meter.last;
    const { installationId, digest } = isolate;
    send({ op: 'started', installationId, digest, cpuMs: roundTo3(madeInMs + cpuMs) });
    const failAll = (fault: PluginFault) => {
      for (const { run } of isolate.waiting.splice(0)) fail(run, fault);
      shelf.retire(isolate);
    };
    if (startUp.ended === 'threw') {
      const { name, message, stack } = startUp;
      failAll({ code: 'plugin-start-failed', message, ...(name ? { name } : {}), ...(stack ? { stack } : {}) });
    } else if (startUp.ended === 'heap') {
      failAll(limitFault('heap-limit', 'heapMiB', limits.heapMiB));
    } else if (cpuMs > limits.startupCpuMs) {
      failAll(limitFault('startup-cpu-limit', 'startupCpuMs', limits.startupCpuMs, cpuMs));
    } else if (startUp.ended === 'timeout') {
      lose(isolate, () => true);
    } else {
      // One of them may cost the isolate its life; then `lose` has spoken for the rest.
      for (let next = isolate.waiting.shift(); next; next = isolate.waiting.shift()) begin(next.run, next.input);
    }
  };

  const dropWaiting = (isolate: Shelved) => {
    for (const { run } of isolate.waiting.splice(0)) {
      leave(run);
      send({ op: 'left', ticket: run.ticket, cost: costOf(run) });
    }
    shelf.retire(isolate);
  };

  const onCode = ({ isolate: number, ok }: Extract<HostMessage, { op: 'bundle' }>, code: string) => {
    const isolate = shelf.byNumber(number);
    const kept = asked.get(number);
    asked.delete(number);
    if (!isolate) return;
    if (ok) onBundle(isolate, codes.take(isolate.digest, kept ?? { code }));
    else dropWaiting(isolate);
  };

  /** Takes an invocation away that nobody waits for, wherever it is; `tell` says its last word. */
  const withdraw = (run: LaneRun, tell: () => void) => {
    const { isolate } = run;
    const at = isolate.waiting.findIndex((waiting) => waiting.run === run);
    if (at < 0) {
      endInGuest(run, tell);
      failStuck(isolate);
    } else {
      isolate.waiting.splice(at, 1);
      leave(run);
      tell();
    }
  };

  const onResult = (message: Extract<HostMessage, { op: 'result' }>, json: string) => {
    const run = runs.get(message.ticket);
    if (!run) return;
    run.pending--;
    run.isolate.pending--;
    if (!takesUnits(run, json.length)) {
      failStuck(run.isolate);
      return;
    }
    const { seq, nowMs, ok } = message;
    enter(run, { op: 'result', id: run.id, seq, nowMs, ok }, json);
  };

  /** The wall deadline has passed, or nobody waits any more; the host wants to know what it cost. */
  const onEnd = (ticket: number, expired: boolean) => {
    const run = runs.get(ticket);
    if (!run) return;
    if (expired) {
      const fault = JSON.stringify(overWall(run));
      withdraw(run, () => send({ op: 'fault', ticket, cost: costOf(run) }, fault));
    } else withdraw(run, () => send({ op: 'left', ticket, cost: costOf(run) }));
  };

  return (message: HostMessage, tail: string): void => {
    switch (message.op) {
      case 'start':
        onStart(message, tail);
        break;
      case 'result':
        onResult(message, tail);
        break;
      case 'bundle':
        onCode(message, tail);
        break;
      case 'forget':
      case 'expire':
        onEnd(message.ticket, message.op === 'expire');
        break;
      case 'evict':
        shelf.evict(message.installationId);
        break;
      case 'guest':
        throw new Error('the guest runtime comes once, first');
    }
  };
}
