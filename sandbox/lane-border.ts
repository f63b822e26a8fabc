import { CEILING_LIMITS } from '../plugins-sdk/contract/limits.ts';
import { isStreamCall } from '../plugins-sdk/contract/stream-calls.ts';
import { monotonicMs } from './clock.ts';
import type { Invocation } from './contract.ts';
import { CALL_UNITS_MAX, FAULT_UNITS_MAX, LOG_OVERHEAD_FACTOR, LOG_OVERHEAD_UNITS } from './limits.ts';
import type { HostMessage, LaneMessage, ProfileMessage } from './messages.ts';

/** Frames about nobody, such as "I have so many isolates", over those that the host's own frames can cause. */
const STRAYS_FREE = 1_000;
const STRAYS_PER_FRAME = 1_000;
/** A lane is one thread, so it cannot have used more CPU time than has passed, but for the grain of the clocks. */
const CLOCK_SLACK_MS = 1_000;
const OVERBILLED = 'it bills more CPU time than has passed';
const TALLIES_MAX = 4_096;

type LastWord = Extract<LaneMessage, { op: 'done' | 'fault' | 'interrupted' | 'left' }>;
type Owner = Pick<Invocation, 'installationId' | 'digest'>;

/** What the host knows of the execution that a message is about. */
export interface KnownRun {
  deadlineMs: number;
  invocation: Pick<Invocation, 'limits'>;
}

/** Calls by the limit that they count against; see `limitOf`. */
interface Tally {
  hostCalls: number;
  timers: number;
  pieces: number;
  callUnits: number;
  logUnits: number;
}

/**
 * What a lane may say, given what the host has said to it. A plugin that has left its isolate can say anything on the lanes of its
 * cordon: it must learn, cost and cause no more than the invocations that the host has sent there may.
 */
export class LaneBorder {
  /** The bundle of each installation that was sent to the lane last, and those before. */
  readonly #met = new Map<string, { digest: string; others: Set<string> | null }>();
  readonly #tallies = new Map<number, Tally>();
  readonly #nowMs: () => number;
  #framesSent = 0;
  #strays = 0;
  #profilesLeft: number;
  /** Executions of which the lane has said nothing, in the order in which they were sent. */
  #unheard: number[] = [];
  /** How often it may ask for code: once for each of them, since it asks when it gets them or not at all. */
  #needsLeft = 0;
  #newestTicket = 0;
  /**
   * The newest execution that the lane had been sent when it last spoke of one that may have cost others their isolate. Newer ones it
   * cannot have lost by that; if it might say so, they would be executed again without end.
   */
  #newestLosable = 0;
  /** Each code that was sent, or may run, makes an isolate start once. */
  #startUpsLeft = 0;
  /** Until when the lane would have been busy had it done nothing but what it billed for start-ups. */
  #startedToMs: number;

  /** `profiles`: how many of itself the lane may send. */
  constructor(profiles = 0, nowMs = monotonicMs) {
    this.#profilesLeft = profiles;
    this.#nowMs = nowMs;
    this.#startedToMs = nowMs();
  }

  /** Call for everything that the host says to the lane. */
  onSend(message: HostMessage): void {
    this.#framesSent++;
    if (message.op === 'bundle' && message.ok) this.#startUpsLeft++;
    if (message.op !== 'start') return;
    const { ticket, installationId, digest } = message;
    this.#newestTicket = Math.max(this.#newestTicket, ticket);
    this.#unheard.push(ticket);
    this.#needsLeft++;
    const met = this.#met.get(installationId);
    if (!met) this.#met.set(installationId, { digest, others: null });
    else if (met.digest !== digest) {
      met.others = (met.others ?? new Set()).add(met.digest);
      met.digest = digest;
    }
  }

  /** Whether an invocation of this installation and bundle was ever sent to the lane. */
  hasMet({ installationId, digest }: Owner): boolean {
    const met = this.#met.get(installationId);
    return met !== undefined && (met.digest === digest || met.others?.has(digest) === true);
  }

  /**
   * Why no lane would say that; null where one may. `run` is absent where it is over for the host; `isOwed`: and the lane had still to say
   * its last word on it.
   */
  objectionTo(
    message: LaneMessage | ProfileMessage,
    tail: string,
    run: KnownRun | undefined,
    isOwed = false,
  ): string | null {
    if ('ticket' in message) this.#hear(message.ticket);
    switch (message.op) {
      case 'need':
        if (!this.hasMet(message)) return 'it asks for the code of a stranger';
        return this.#needsLeft-- > 0 ? null : 'it asks for code more often than it was given something to run';
      case 'started':
        if (!this.hasMet(message)) return 'it bills a stranger';
        return this.#startUpsLeft-- > 0 ? this.#objectionToStartUp(message.cpuMs) : 'it bills start-ups that were none';
      case 'profile':
        return this.#profilesLeft-- > 0 ? null : 'it sends a profile that nobody asked for';
      case 'isolates':
      case 'turn':
        return this.#stray();
      case 'call':
      case 'log':
        return run ? this.#objectionToTally(message, tail, run.invocation) : this.#stray();
      default:
        this.#tallies.delete(message.ticket);
        // The host has not let go of it.
        if (run && message.op === 'left') return this.#stray();
        if ((run || isOwed) && mayCostOthers(message)) this.#newestLosable = this.#newestTicket;
        return run ? this.#objectionToEnd(message, tail, run) : this.#stray();
    }
  }

  /** A lane takes frames in order: what it was sent before an execution that it speaks of makes it ask for nothing any more. */
  #hear(ticket: number): void {
    const at = this.#unheard.indexOf(ticket);
    if (at < 0) return;
    this.#unheard.splice(0, at + 1);
    this.#needsLeft = Math.min(this.#needsLeft, this.#unheard.length);
  }

  #stray(): string | null {
    const max = STRAYS_FREE + STRAYS_PER_FRAME * this.#framesSent;
    return ++this.#strays > max ? 'it floods the host with what concerns nobody' : null;
  }

  #objectionToCpu(cpuMs: number, sinceMs: number): string | null {
    if (cpuMs <= CLOCK_SLACK_MS || cpuMs <= this.#nowMs() - sinceMs + CLOCK_SLACK_MS) return null;
    return OVERBILLED;
  }

  /** Of all start-ups together; time in which the lane can have had no part of those of now is not credited to it. */
  #objectionToStartUp(cpuMs: number): string | null {
    const nowMs = this.#nowMs();
    this.#startedToMs = Math.max(this.#startedToMs, nowMs - CEILING_LIMITS.wallMs) + cpuMs;
    return this.#startedToMs <= nowMs + CLOCK_SLACK_MS ? null : OVERBILLED;
  }

  #objectionToTally(
    message: Extract<LaneMessage, { op: 'call' | 'log' }>,
    tail: string,
    { limits }: KnownRun['invocation'],
  ): string | null {
    const tally = this.#tallyOf(message.ticket);
    if (message.op === 'log') {
      tally.logUnits += tail.length + LOG_OVERHEAD_UNITS;
      return tally.logUnits > limits.logBytes * LOG_OVERHEAD_FACTOR ? 'it logs more than the invocation may' : null;
    }
    const kind = limitOf(message.name);
    tally[kind]++;
    tally.callUnits += tail.length;
    return tally[kind] > limits[kind] || tally.callUnits > CALL_UNITS_MAX
      ? 'it makes more host calls than the invocation may'
      : null;
  }

  #objectionToEnd(message: LastWord, tail: string, { deadlineMs, invocation: { limits } }: KnownRun): string | null {
    if (message.op === 'done') {
      // A unit takes one to three bytes.
      const { outputBytes } = message;
      const fits = outputBytes <= limits.outputBytes && tail.length <= outputBytes && outputBytes <= tail.length * 3;
      if (!fits) return 'its answer is larger than it may be, or than it says';
    } else if (tail.length > FAULT_UNITS_MAX) return 'its fault is larger than one can be';
    if (message.op === 'interrupted' && !message.inside && message.ticket > this.#newestLosable)
      return 'it loses invocations for no reason';
    return this.#objectionToCpu(message.cost.cpuMs, deadlineMs - limits.wallMs);
  }

  #tallyOf(ticket: number): Tally {
    let tally = this.#tallies.get(ticket);
    if (!tally) {
      // Of executions that ended without a word; tickets only grow, so the first is the oldest.
      if (this.#tallies.size >= TALLIES_MAX) this.#tallies.delete(this.#tallies.keys().next().value!);
      tally = { hostCalls: 0, timers: 0, pieces: 0, callUnits: 0, logUnits: 0 };
      this.#tallies.set(ticket, tally);
    }
    return tally;
  }
}

/** An isolate is lost in a turn of an execution that ends with that, or in the turn in which the guest forgets it. */
const mayCostOthers = (message: LastWord) => (message.op === 'interrupted' ? message.inside : message.op !== 'done');

const limitOf = (name: string) => (name === 'timer' ? 'timers' : isStreamCall(name) ? 'pieces' : 'hostCalls');
