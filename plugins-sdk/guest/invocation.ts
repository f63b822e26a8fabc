import type { CapabilityRefusal, PluginFault } from '../contract/errors.ts';
import type { StartList, TurnHead } from '../contract/turns.ts';
import { CapabilityError } from './capability-error.ts';
import { capText, describeThrown } from './describe-thrown.ts';
import { hasOwn, jsonParse, jsonStringify, NativePromise, SafeMap } from './primordials.ts';
import { RandomStream } from './random-stream.ts';
import { emit } from './records.ts';
import { utf8LengthOver } from './utf8.ts';

export type InvocationLimits = Extract<TurnHead, { op: 'start' }>['limits'];

/** What a timer does when it fires; `everyMs` is null for one that fires once. */
export interface Alarm {
  callback: (...args: unknown[]) => unknown;
  args: unknown[];
  everyMs: number | null;
}

type Settle = (ok: boolean, body: string) => void;

/** The state of one running invocation. */
export interface Invocation {
  readonly id: string;
  readonly limits: InvocationLimits;
  readonly startedAtMs: number;
  /** What its random stream begins with. */
  readonly seed: string;
  /** Made when the first is asked for, as are the two maps: most invocations need none of them. See `randomOf`. */
  random: RandomStream | null;
  /** What `Date` shows: stands still within a turn. */
  nowMs: number;
  /** Answered, faulted or forgotten: nothing it does counts any more. */
  over: boolean;
  seq: number;
  hostCalls: number;
  timers: number;
  pieces: number;
  logSeq: number;
  logBytes: number;
  lastHostCall: string | null;
  pending: SafeMap<number, Settle> | null;
  /** Timers that have not fired, by the number that the plugin knows. */
  alarms: SafeMap<number, Alarm> | null;
  /** The neighbours in the list of all that run. */
  older: Invocation | null;
  newer: Invocation | null;
}

/** Few run at once in one isolate, and most of them begin and end alone: a map would make V8 look up the text of every id. */
let newest: Invocation | null = null;

function runningOf(id: string): Invocation | null {
  let each = newest;
  while (each !== null && each.id !== id) each = each.older;
  return each;
}

/**
 * Whose turn it is: what `Date`, `Math.random`, timers and `console` belong to. Null while the bundle starts.
 * A continuation that one invocation leaves to another's promise runs in the turn of the one that settles it.
 */
let current: Invocation | null = null;
export const currentInvocation = (): Invocation | null => current;

export function startInvocation(head: StartList): Invocation {
  const id = head[0];
  const nowMs = head[2];
  const invocation: Invocation = {
    id,
    limits: { outputBytes: head[3], hostCalls: head[4], timers: head[5], pieces: head[6], logBytes: head[7] },
    startedAtMs: nowMs,
    seed: head[1],
    random: null,
    nowMs,
    over: false,
    seq: 0,
    hostCalls: 0,
    timers: 0,
    pieces: 0,
    logSeq: 0,
    logBytes: 0,
    lastHostCall: null,
    pending: null,
    alarms: null,
    older: newest,
    newer: null,
  };
  if (newest !== null) newest.newer = invocation;
  newest = invocation;
  current = invocation;
  return invocation;
}

export function randomOf(invocation: Invocation): RandomStream {
  invocation.random ??= new RandomStream(invocation.seed);
  return invocation.random;
}

/** Hands the result of a host call to whoever waits for it. Results of forgotten invocations are dropped. */
export function settleCall(head: Extract<TurnHead, { op: 'result' }>, body: string): void {
  const invocation = runningOf(head.id);
  if (invocation === null) return;
  invocation.nowMs = head.nowMs;
  current = invocation;
  const settle = invocation.pending?.get(head.seq);
  invocation.pending?.delete(head.seq);
  settle?.(head.ok, body);
}

export function forgetInvocation(id: string): void {
  const invocation = runningOf(id);
  if (invocation !== null) leave(invocation);
}

function leave(invocation: Invocation): void {
  const { older, newer } = invocation;
  invocation.over = true;
  if (older !== null) older.newer = newer;
  if (newer === null) newest = older;
  else newer.older = older;
  invocation.older = null;
  invocation.newer = null;
}

export function endTurn(): void {
  current = null;
}

/** Answers an invocation; `output` is a GuestOutput as JSON. */
export function finish(invocation: Invocation, output: string): undefined {
  if (invocation.over) return;
  const bytes = utf8LengthOver(output, invocation.limits.outputBytes);
  if (bytes > invocation.limits.outputBytes) return outputTooLarge(invocation, bytes);
  emit('done', invocation.id, '-', '-', output);
  leave(invocation);
}

export function outputTooLarge(invocation: Invocation, used: number): undefined {
  const allowed = invocation.limits.outputBytes;
  fail(invocation, {
    code: 'output-too-large',
    message: `The answer has ${used} bytes; ${allowed} are allowed.`,
    limit: 'outputBytes',
    allowed,
    used,
  });
}

/** Ends an invocation with a fault. Only the first end counts. */
export function fail(invocation: Invocation, fault: PluginFault): undefined {
  if (invocation.over) return;
  // Said first: at the very end of a plugin's stack this throws, and then the invocation is not over.
  emit('fault', invocation.id, '-', '-', faultJson(fault, invocation.lastHostCall));
  leave(invocation);
}

export function failThrown(invocation: Invocation, thrown: unknown): undefined {
  const { name, message, stack } = describeThrown(thrown);
  fail(invocation, { code: 'plugin-threw', message, name, stack });
}

/** No string of a fault is longer when it leaves the isolate, whoever made it. */
const FAULT_UNITS_MAX = 8_192;

/**
 * Written field by field, own fields only: a plugin may have planted `toJSON`, or fields of a fault, on `Object.prototype`.
 */
function faultJson(fault: PluginFault, lastHostCall: string | null): string {
  let json = `{"code":${jsonStringify(fault.code)},"message":${jsonStringify(capText(fault.message, FAULT_UNITS_MAX))}`;
  const fields = ['name', 'stack', 'limit', 'allowed', 'used'] as const;
  for (let at = 0; at < fields.length; at += 1) {
    const field = fields[at]!;
    const value = hasOwn(fault, field) ? fault[field] : undefined;
    if (typeof value === 'number') json += `,"${field}":${jsonStringify(value)}`;
    else if (typeof value === 'string') json += `,"${field}":${jsonStringify(capText(value, FAULT_UNITS_MAX))}`;
  }
  if (lastHostCall !== null) json += `,"lastHostCall":${jsonStringify(lastHostCall)}`;
  return `${json}}`;
}

/** Calls the host; `args` is JSON text. Rejects with an Error that carries the refusal's `code`. */
export function callHost(
  invocation: Invocation,
  name: string,
  args: string,
  limit: 'hostCalls' | 'pieces' = 'hostCalls',
): Promise<unknown> {
  // Made here and not when the answer comes, so that its stack shows who called.
  const error = new CapabilityError();
  return new NativePromise((resolve, reject) => {
    if (invocation.over) {
      error.tell('invocation-over', `${name} was called after the answer; await every call before you answer.`);
      return reject(error);
    }
    invocation.lastHostCall = name;
    if (overLimit(invocation, limit, name)) return;
    send(invocation, name, args, (ok, body) => {
      const value = jsonParse(body) as unknown;
      if (ok) return resolve(value);
      const { code, message } = value as CapabilityRefusal;
      error.tell(code, message, hasOwn(value as object, 'reason') ? (value as CapabilityRefusal).reason : undefined);
      reject(error);
    });
  });
}

/** Asks the sandbox to wake the invocation after `ms`. */
export function callTimer(invocation: Invocation, ms: number, wake: () => void): void {
  if (invocation.over || overLimit(invocation, 'timers', 'setTimeout')) return;
  send(invocation, 'timer', `{"ms":${ms}}`, wake);
}

function send(invocation: Invocation, name: string, args: string, settle: Settle): void {
  const seq = invocation.seq + 1;
  invocation.pending ??= new SafeMap();
  invocation.pending.set(seq, settle);
  emit('call', invocation.id, seq, name, args);
  // Counted last: a plugin that is at the end of its stack gets a RangeError above, and no call was made.
  invocation.seq = seq;
}

function overLimit(invocation: Invocation, limit: 'hostCalls' | 'timers' | 'pieces', name: string): boolean {
  invocation[limit] += 1;
  const used = invocation[limit];
  const allowed = invocation.limits[limit];
  if (used <= allowed) return false;
  const one = limit === 'timers' ? 'timer' : limit === 'pieces' ? 'piece of a body' : 'capability call';
  fail(invocation, {
    code: 'host-call-limit',
    message: `${name} was ${one} number ${used}; ${allowed} are allowed.`,
    limit,
    allowed,
    used,
  });
  return true;
}
