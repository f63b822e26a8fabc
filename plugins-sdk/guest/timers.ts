import { type Alarm, callTimer, currentInvocation, failThrown, type Invocation } from './invocation.ts';
import { apply, max, NativeError, NativeNumber, NativeTypeError, SafeMap } from './primordials.ts';

/** The longest delay there is, 24 days. */
export const DELAY_MS_MAX = 2 ** 31 - 1;

/** Numbers count up in the isolate and mean nothing outside the invocation that started the timer. */
let lastId = 0;

function startTimer(name: string, callback: unknown, delay: unknown, args: unknown[], repeats: boolean): number {
  if (typeof callback !== 'function') throw new NativeTypeError(`${name} takes a function`);
  const invocation = currentInvocation();
  if (invocation === null) {
    throw new NativeError(`${name} cannot be used while the bundle starts; call it inside a handler`);
  }
  const ms = delayMs(delay);
  lastId += 1;
  invocation.alarms ??= new SafeMap();
  invocation.alarms.set(lastId, { callback: callback as Alarm['callback'], args, everyMs: repeats ? ms : null });
  arm(invocation, lastId, ms);
  return lastId;
}

/** Web IDL's `long`: what is beyond 32 bits wraps around, and what is below zero fires at once. */
function delayMs(delay: unknown): number {
  return max(NativeNumber(delay) | 0, 0);
}

const arm = (invocation: Invocation, id: number, ms: number): void =>
  callTimer(invocation, ms, () => fire(invocation, id));

function fire(invocation: Invocation, id: number): void {
  const alarm = invocation.alarms?.get(id);
  if (alarm === undefined || invocation.over) return;
  if (alarm.everyMs === null) invocation.alarms?.delete(id);
  else arm(invocation, id, alarm.everyMs);
  runGuarded(invocation, alarm.callback, alarm.args);
}

/** Nobody could catch what a callback throws, so it ends the invocation. */
function runGuarded(invocation: Invocation, callback: Alarm['callback'], args: unknown[]): void {
  try {
    apply(callback, undefined, args);
  } catch (error) {
    failThrown(invocation, error);
  }
}

export function setTimeout(callback: unknown, delay?: unknown, ...args: unknown[]): number {
  return startTimer('setTimeout', callback, delay, args, false);
}

export function setInterval(callback: unknown, delay?: unknown, ...args: unknown[]): number {
  return startTimer('setInterval', callback, delay, args, true);
}

/** Knows the timers of the invocation whose turn it is; any other number is ignored. As a key of an object, an id is a text. */
export function clearTimeout(id?: unknown): void {
  currentInvocation()?.alarms?.delete(NativeNumber(id));
}

/** What nobody catches ends the invocation; this says so of an error that was caught. */
export function reportError(error: unknown): void {
  const invocation = currentInvocation();
  if (invocation === null) throw error;
  failThrown(invocation, error);
}

export function queueMicrotask(callback: unknown): void {
  if (typeof callback !== 'function') throw new NativeTypeError('queueMicrotask takes a function');
  void runLater(currentInvocation(), callback as Alarm['callback']);
}

/** `await` needs no method of Promise that a plugin could have replaced. */
async function runLater(invocation: Invocation | null, callback: Alarm['callback']): Promise<void> {
  await undefined;
  if (invocation === null) callback();
  else runGuarded(invocation, callback, []);
}
