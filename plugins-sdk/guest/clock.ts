import { currentInvocation } from './invocation.ts';
import {
  apply,
  construct,
  dateGetTime,
  defineHidden,
  floor,
  keys,
  NativeDate,
  numberIsNaN,
  numberToString,
  regExpExec,
  stringPadStart,
  uncurryThis,
} from './primordials.ts';
import { replaceConstructor } from './removals.ts';

/** Milliseconds since 1970; 0 while the bundle starts, which belongs to no moment. */
export const nowMs = (): number => currentInvocation()?.nowMs ?? 0;

/** Milliseconds since the invocation started. */
export function elapsedMs(): number {
  const invocation = currentInvocation();
  return invocation === null ? 0 : invocation.nowMs - invocation.startedAtMs;
}

const { UTC, parse } = NativeDate;
const offsetMinutes = uncurryThis(NativeDate.prototype.getTimezoneOffset);
const PARTS = ['Date', 'Day', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Date` shows the host's clock, which stands still within a turn, and knows UTC only, whatever zone the machine is in. */
export function installClock(): void {
  const Clock = function Clock(...args: unknown[]): unknown {
    if (!new.target) return showDate(new NativeDate(nowMs()));
    return construct(NativeDate, [timeOf(args)], new.target);
  };
  replaceConstructor(NativeDate, Clock, ['UTC']);
  defineHidden(Clock, 'now', nowMs);
  defineHidden(Clock, 'parse', (text: unknown) => parseUtc(`${text as string}`));
  installUtcParts();
}

/** What `new Date(...args)` hands to the engine. */
function timeOf(args: unknown[]): unknown {
  if (args.length === 0) return nowMs();
  if (args.length > 1) return apply(UTC, undefined, args as [number, number]);
  return typeof args[0] === 'string' ? parseUtc(args[0]) : args[0];
}

/** The engine reads a text without a zone in the machine's zone; here it is UTC. */
function parseUtc(text: string): number {
  const ms = parse(text);
  const zoned =
    regExpExec(/(?:Z|GMT|UTC?|[+-]\d\d:?\d\d)(?:\s*\([^)]*\))?\s*$/i, text) ??
    regExpExec(/^\s*[+-]?\d{4,6}(?:-\d\d(?:-\d\d)?)?\s*$/, text);
  return zoned !== null || numberIsNaN(ms) ? ms : ms - offsetMinutes(new NativeDate(ms)) * 60_000;
}

function installUtcParts(): void {
  const prototype = NativeDate.prototype as unknown as Record<string, unknown>;
  for (let at = 0; at < PARTS.length; at += 1) {
    const part = PARTS[at]!;
    defineHidden(prototype, `get${part}`, prototype[`getUTC${part}`]);
    if (part !== 'Day') defineHidden(prototype, `set${part}`, prototype[`setUTC${part}`]);
  }
  const methods = {
    getTimezoneOffset(this: Date) {
      return dateGetTime(this) * 0;
    },
    getYear(this: Date) {
      return utcFullYear(this) - 1900;
    },
    toString(this: Date) {
      return showDate(this);
    },
    toDateString(this: Date) {
      return numberIsNaN(dateGetTime(this)) ? 'Invalid Date' : showDay(this);
    },
    toTimeString(this: Date) {
      return numberIsNaN(dateGetTime(this)) ? 'Invalid Date' : showTime(this);
    },
  };
  const names = keys(methods) as (keyof typeof methods)[];
  for (let at = 0; at < names.length; at += 1) defineHidden(prototype, names[at]!, methods[names[at]!]);
}

const utcFullYear = uncurryThis(NativeDate.prototype.getUTCFullYear);

/** `Sat Nov 21 2026 19:26:03 GMT+0000 (Coordinated Universal Time)` */
const showDate = (date: Date): string =>
  numberIsNaN(dateGetTime(date)) ? 'Invalid Date' : `${showDay(date)} ${showTime(date)}`;

function showDay(date: Date): string {
  const ms = dateGetTime(date);
  const day = new NativeDate(ms);
  const year = utcFullYear(day);
  const digits = stringPadStart(numberToString(year < 0 ? -year : year), year < 0 ? 6 : 4, '0');
  return `${DAYS[utcDay(day)]} ${MONTHS[utcMonth(day)]} ${two(utcDate(day))} ${year < 0 ? '-' : ''}${digits}`;
}
const utcDay = uncurryThis(NativeDate.prototype.getUTCDay);
const utcMonth = uncurryThis(NativeDate.prototype.getUTCMonth);
const utcDate = uncurryThis(NativeDate.prototype.getUTCDate);

function showTime(date: Date): string {
  const seconds = floor(dateGetTime(date) / 1_000);
  const ofDay = ((seconds % 86_400) + 86_400) % 86_400;
  const hours = two(floor(ofDay / 3_600));
  return `${hours}:${two(floor(ofDay / 60) % 60)}:${two(ofDay % 60)} GMT+0000 (Coordinated Universal Time)`;
}

const two = (value: number): string => stringPadStart(numberToString(value), 2, '0');
