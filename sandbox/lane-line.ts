import type { HostMessage, LaneMessage } from './messages.ts';
import { NumberTable } from './number-table.ts';
import type { TurnCosts } from './turn-costs.ts';

/** A frame for which the lane enters an isolate: a turn. */
export type TurnFrame = Extract<HostMessage, { op: 'start' | 'result' }>;

export interface LaneLinePorts {
  costs: Pick<TurnCosts, 'note' | 'expectedMs'>;
  nowMs(): number;
  send(frame: TurnFrame, tail: string): void;
}

/**
 * A lane has at most so much work ahead of it, and one turn more; the rest waits here, where it can still be overtaken. Enough
 * for eighty light turns, so those of an installation that is alone never wait; less than a neighbour notices.
 */
const AHEAD_US_MAX = 4_000;
/** Nobody is owed more than this: so long, at most, whoever used a lane while it was idle waits for those who come then. */
const OWED_US_MAX = 50_000;
/** An installation that has a lane to itself has its next turn there already, however long, so that the lane need not wait for the host. */
const AHEAD_TURNS_ALONE = 2;
/** It has the lane to itself when nobody else has used it for so long. */
const ALONE_AFTER_MS = 100;
/** Turns that may wait on the lane for the code of their installation. They hold up nobody, but when it comes nothing gets in between. */
const COLD_TURNS_MAX = 1;
/** Below this it is cheaper to remember installations than to look for those that need not be. */
const REMEMBER_MIN = 512;

/** The turns of one installation. */
interface Flow {
  id: string;
  /** CPU time that it has had, in microseconds, beside that of the others: whoever has had least is next. */
  hadUs: number;
  /** Turns on the lane, and what is expected of them. */
  turns: number;
  us: number;
  /** One of its turns has ended here: its code is on the lane. */
  warm: boolean;
  /** How often its code is being loaded. */
  loading: number;
  queue: Held[];
}

/** One execution. */
interface Entry {
  flow: Flow;
  started: boolean;
  turns: number;
  us: number;
  held: number;
  /** What the lane said that it has had. */
  turnsDone: number;
  cpuMs: number;
}

interface Held {
  entry: Entry;
  frame: TurnFrame;
  tail: string;
}

/**
 * Who computes next on a lane. A lane takes turns in the order in which they come and cannot be interrupted, so what is sent to it is little,
 * and what waits is sent by turns of the installations: start-time fair queuing (Goyal, Vin, Cheng 1996) by the CPU time that
 * they used. Whoever waits for a host call or a timer has no turn and does not count. Within an installation nothing is reordered.
 */
export class LaneLine {
  readonly #ports: LaneLinePorts;
  readonly #flows = new Map<string, Flow>();
  readonly #entries = new NumberTable<Entry>();
  /** Those with something that waits. */
  readonly #waiting = new Set<Flow>();
  /** On the lane, without those that wait for code. */
  #turns = 0;
  #us = 0;
  /** What whoever is next has had; who comes new begins with it. */
  #hadUs = 0;
  #last: Flow | null = null;
  #othersAtMs = Number.NEGATIVE_INFINITY;
  #sweepAt = REMEMBER_MIN;

  constructor(ports: LaneLinePorts) {
    this.#ports = ports;
  }

  /** Turns that wait here. */
  get held(): number {
    let held = 0;
    for (const { queue } of this.#waiting) held += queue.length;
    return held;
  }

  /** Turns that were sent and have not ended. */
  get ahead(): number {
    return this.#turns;
  }

  /** An execution is to begin: sends its frame, now or when its installation is next. */
  start(installationId: string, frame: Extract<TurnFrame, { op: 'start' }>, input: string): void {
    const flow = this.#flows.get(installationId) ?? this.#meet(installationId);
    const entry = { flow, started: false, turns: 0, us: 0, held: 0, turnsDone: 0, cpuMs: 0 };
    this.#entries.set(frame.ticket, entry);
    this.#add(entry, frame, input);
  }

  /** An execution goes on. */
  goOn(frame: Extract<TurnFrame, { op: 'result' }>, result: string): void {
    const entry = this.#entries.get(frame.ticket);
    if (entry) this.#add(entry, frame, result);
  }

  /** The lane has said what an execution has had up to now. */
  onTurns(ticket: number, turnsDone: number, cpuMs: number): void {
    const entry = this.#entries.get(ticket);
    if (!entry) return;
    const turns = Math.min(entry.turns, turnsDone - entry.turnsDone);
    if (turns > 0) this.#end(entry, turns, turnsDone, cpuMs);
    this.#sendOn();
  }

  /** The lane has said its last word on an execution: it has no turns any more. */
  onEnd(ticket: number, turnsDone: number, cpuMs: number): void {
    const entry = this.#entries.get(ticket);
    if (!entry) return;
    this.#entries.delete(ticket);
    this.#unhold(entry);
    if (entry.turns > 0) this.#end(entry, entry.turns, turnsDone, cpuMs);
    this.#sendOn();
  }

  /** An execution waits here, and the lane has never heard of it. */
  isHeld(ticket: number): boolean {
    return this.#entries.get(ticket)?.started === false;
  }

  /** Nobody waits for an execution any more: what is held of it is not sent. True where the lane has never heard of it. */
  drop(ticket: number): boolean {
    const entry = this.#entries.get(ticket);
    if (!entry) return false;
    this.#unhold(entry);
    // Otherwise the lane is inside a turn of it, or about to be, until it says its last word.
    if (entry.turns === 0) this.#entries.delete(ticket);
    return !entry.started;
  }

  /** The turns of an installation wait for its code, and the lane for nobody. */
  onLoading(installationId: string): void {
    const flow = this.#flows.get(installationId);
    if (!flow || flow.loading++ > 0) return;
    this.#turns -= flow.turns;
    this.#us -= flow.us;
    this.#sendOn();
  }

  onLoaded(installationId: string): void {
    const flow = this.#flows.get(installationId);
    if (!flow || flow.loading === 0 || --flow.loading > 0) return;
    this.#turns += flow.turns;
    this.#us += flow.us;
    this.#sendOn();
  }

  #add(entry: Entry, frame: TurnFrame, tail: string): void {
    const { flow } = entry;
    if (flow.turns === 0 && flow.queue.length === 0) flow.hadUs = Math.max(flow.hadUs, this.#hadUs);
    if (flow !== this.#last) {
      this.#last = flow;
      this.#othersAtMs = this.#ports.nowMs();
    }
    if (flow.queue.length === 0 && this.#mayGo(flow)) {
      this.#send(entry, frame, tail);
      return;
    }
    entry.held++;
    flow.queue.push({ entry, frame, tail });
    this.#waiting.add(flow);
  }

  #mayGo(flow: Flow): boolean {
    if ((flow.loading > 0 || !flow.warm) && flow.turns >= COLD_TURNS_MAX) return false;
    if (flow.loading > 0) return true;
    // Nobody waits until the others have had as much. One turn that was counted as long must not hold it back for ever.
    if (this.#isAlone(flow)) this.#hadUs = Math.max(this.#hadUs, flow.hadUs);
    // Not in between, when whoever is owed more has work on the lane: its next turn comes before that is done.
    if (this.#us < AHEAD_US_MAX && (this.#turns === 0 || this.#isDue(flow))) return true;
    return this.#turns < AHEAD_TURNS_ALONE && this.#ports.nowMs() - this.#othersAtMs > ALONE_AFTER_MS;
  }

  #isAlone(flow: Flow): boolean {
    const others = this.#waiting.size - (this.#waiting.has(flow) ? 1 : 0);
    return others === 0 && this.#turns === (flow.loading > 0 ? 0 : flow.turns);
  }

  #isDue({ hadUs }: Flow): boolean {
    return hadUs <= this.#hadUs + AHEAD_US_MAX;
  }

  #send(entry: Entry, frame: TurnFrame, tail: string): void {
    const { flow } = entry;
    const us = Math.max(1, Math.round(this.#ports.costs.expectedMs(flow.id) * 1_000));
    entry.started = true;
    entry.turns++;
    entry.us += us;
    flow.turns++;
    flow.us += us;
    // Who is sent because nobody else has work has no advantage that the others would have to make up for ever.
    this.#hadUs = Math.max(this.#hadUs, this.#isDue(flow) ? flow.hadUs : flow.hadUs - OWED_US_MAX);
    flow.hadUs += us;
    if (flow.loading === 0) {
      this.#turns++;
      this.#us += us;
    }
    this.#ports.send(frame, tail);
  }

  #end(entry: Entry, turns: number, turnsDone: number, cpuMs: number): void {
    const { flow } = entry;
    flow.warm = true;
    // Whole microseconds, so that sums come back to zero.
    const us = turns === entry.turns ? entry.us : Math.floor((entry.us * turns) / entry.turns);
    const usedMs = Math.max(0, cpuMs - entry.cpuMs);
    entry.turns -= turns;
    entry.us -= us;
    entry.turnsDone = turnsDone;
    entry.cpuMs = cpuMs;
    flow.turns -= turns;
    flow.us -= us;
    flow.hadUs += Math.round(usedMs * 1_000) - us;
    if (flow.loading === 0) {
      this.#turns -= turns;
      this.#us -= us;
    }
    this.#ports.costs.note(flow.id, turns, usedMs);
  }

  /** Sends what there is room for, from whoever has had least. */
  #sendOn(): void {
    while (this.#waiting.size > 0) {
      let next: Flow | null = null;
      for (const flow of this.#waiting) {
        if ((next === null || flow.hadUs < next.hadUs) && this.#mayGo(flow)) next = flow;
      }
      if (next === null) return;
      const { entry, frame, tail } = next.queue.shift()!;
      if (next.queue.length === 0) this.#waiting.delete(next);
      entry.held--;
      this.#send(entry, frame, tail);
    }
  }

  #unhold(entry: Entry): void {
    if (entry.held === 0) return;
    const { flow } = entry;
    entry.held = 0;
    flow.queue = flow.queue.filter((held) => held.entry !== entry);
    if (flow.queue.length === 0) this.#waiting.delete(flow);
  }

  #meet(id: string): Flow {
    if (this.#flows.size >= this.#sweepAt) this.#sweep();
    const flow = { id, hadUs: 0, turns: 0, us: 0, warm: false, loading: 0, queue: [] };
    this.#flows.set(id, flow);
    return flow;
  }

  /** Forgets those that would begin where everybody begins. */
  #sweep(): void {
    for (const [id, flow] of this.#flows) {
      const isIdle = flow.turns === 0 && flow.queue.length === 0 && flow.loading === 0;
      if (isIdle && flow.hadUs <= this.#hadUs) this.#flows.delete(id);
    }
    this.#sweepAt = Math.max(REMEMBER_MIN, this.#flows.size * 2);
  }
}

/** Tells the line of a lane what the lane has said. */
export function noteTurns(line: LaneLine, message: Extract<LaneMessage, { ticket: number }>): void {
  if (message.op === 'log') return;
  const { turns, cpuMs } = message.cost;
  if (message.op === 'call' || message.op === 'turn') line.onTurns(message.ticket, turns, cpuMs);
  else line.onEnd(message.ticket, turns, cpuMs);
}
