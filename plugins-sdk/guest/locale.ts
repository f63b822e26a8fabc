import { nowMs } from './clock.ts';
import {
  apply,
  construct,
  defineHidden,
  defineLazyGlobal,
  defineProperty,
  deleteProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  global,
  hasOwn,
  keys,
  NativeDate,
  NativeProxy,
  nameFunction,
  reflectGet,
  symbolToStringTag,
  uncurryThis,
} from './primordials.ts';
import { replaceMethod } from './removals.ts';
import { platformPrototypes } from './web-class.ts';

const LOCALE = 'en-US';
const TIME_ZONE = 'UTC';
const FORMATS = [
  'Collator',
  'DateTimeFormat',
  'DisplayNames',
  'DurationFormat',
  'ListFormat',
  'NumberFormat',
  'PluralRules',
  'RelativeTimeFormat',
  'Segmenter',
] as const;

type Format = new (locales?: unknown, options?: unknown) => object;

/** Whoever names no locale or time zone gets en-US and UTC, wherever the host runs, and "now" is the invocation's clock. */
export function installLocale(): void {
  const intl = Intl as unknown as Record<string, Format>;
  for (let at = 0; at < FORMATS.length; at += 1) {
    const name = FORMATS[at]!;
    if (hasOwn(intl, name)) fixDefaults(intl, name, name === 'DateTimeFormat');
  }
  fixNow();
  fixLocaleMethods();
  fixTemporal();
}

function fixDefaults(intl: Record<string, Format>, name: string, zoned: boolean): void {
  const Native = intl[name]!;
  const make = (locales: unknown, options: unknown, target: object) =>
    construct(Native, [locales ?? LOCALE, zoned ? withZone(options) : options], target as Format);
  const Fixed: Format = new Proxy(Native, {
    construct: (_, args, target): object => make(args[0], args[1], target === Fixed ? Native : target),
    apply: (_, __, args) => make(args[0], args[1], Native),
  });
  defineProperty(Native.prototype, 'constructor', { value: Fixed, writable: true, configurable: true });
  defineProperty(intl, name, { value: Fixed, writable: true, configurable: true, enumerable: false });
}

function withZone(options: unknown): unknown {
  if (options === undefined) return { timeZone: TIME_ZONE };
  const given = options as { timeZone?: unknown };
  if (given === null || given.timeZone !== undefined) return options;
  return new NativeProxy(given, { get: (target, key) => (key === 'timeZone' ? TIME_ZONE : reflectGet(target, key)) });
}

/** `format()` and `formatToParts()` without a date read the machine's clock. */
function fixNow(): void {
  const { prototype } = Intl.DateTimeFormat;
  replaceMethod(prototype, 'formatToParts', (native) => (self, args) => call(native, self, [args[0] ?? nowMs()]));
  const getter = uncurryThis(
    getOwnPropertyDescriptor(prototype, 'format')!.get as (this: unknown) => (date: unknown) => string,
  );
  defineProperty(prototype, 'format', {
    get(this: unknown) {
      const format = getter(this);
      return (date?: unknown) => format(date ?? nowMs());
    },
    configurable: true,
    enumerable: false,
  });
}

const call = apply as (method: unknown, self: unknown, args: unknown[]) => unknown;

function fixLocaleMethods(): void {
  const zoned = ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'];
  for (let at = 0; at < zoned.length; at += 1) {
    replaceMethod(
      Date.prototype,
      zoned[at]!,
      (native) => (self, args) => call(native, self, [args[0] ?? LOCALE, withZone(args[1])]),
    );
  }
  const owners = [Number.prototype, BigInt.prototype];
  for (let at = 0; at < owners.length; at += 1) {
    replaceMethod(
      owners[at]!,
      'toLocaleString',
      (native) => (self, args) => call(native, self, [args[0] ?? LOCALE, args[1]]),
    );
  }
  replaceMethod(
    String.prototype,
    'localeCompare',
    (native) => (self, args) => call(native, self, [args[0], args[1] ?? LOCALE, args[2]]),
  );
}

/**
 * Temporal reads the machine's clock through `Temporal.Now` alone, and the zone there and in `toLocaleString`, where it is that of the
 * cordon: UTC. V8 makes all of Temporal when its global is first looked
 * at, 170 kB in every isolate; the method of `Date` is as lazy, and leads to everything but `Now`. So the engine's global is deleted
 * unseen, its `Now` with it, and made again on first use.
 */
function fixTemporal(): void {
  if (!hasOwn(global, 'Temporal')) return;
  deleteProperty(global, 'Temporal');
  defineLazyGlobal('Temporal', makeTemporal);
}

function makeTemporal(): object {
  const start = (NativeDate.prototype as unknown as { toTemporalInstant(): InstantLike }).toTemporalInstant;
  const epoch = apply(start, new NativeDate(0), []) as InstantLike;
  const { constructor: Instant } = epoch;
  const { fromEpochMilliseconds } = Instant;
  const instant = () => fromEpochMilliseconds(nowMs());
  const zoned = (zone: unknown = TIME_ZONE) => instant().toZonedDateTimeISO(zone);
  const Now = {};
  defineMethods(Now, {
    instant,
    timeZoneId: () => TIME_ZONE,
    plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
    zonedDateTimeISO: (zone) => zoned(zone),
    plainDateISO: (zone) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone) => zoned(zone).toPlainTime(),
  });
  defineTag(Now, 'Temporal.Now');
  const zonedEpoch = epoch.toZonedDateTimeISO(TIME_ZONE);
  const date = zonedEpoch.toPlainDate();
  const kinds: Record<string, { readonly constructor: unknown }> = {
    PlainDate: date,
    PlainTime: zonedEpoch.toPlainTime(),
    PlainDateTime: zonedEpoch.toPlainDateTime(),
    ZonedDateTime: zonedEpoch,
    Duration: epoch.until(epoch),
    Instant: epoch,
    PlainYearMonth: date.toPlainYearMonth(),
    PlainMonthDay: date.toPlainMonthDay(),
  };
  const Temporal = {};
  defineHidden(Temporal, 'Now', Now);
  const names = keys(kinds);
  for (let at = 0; at < names.length; at += 1) {
    const kind = kinds[names[at]!]!;
    defineHidden(Temporal, names[at]!, kind.constructor);
    platformPrototypes.add(getPrototypeOf(kind) as object);
  }
  defineTag(Temporal, 'Temporal');
  return Temporal;
}

function defineMethods(owner: object, methods: Record<string, (zone?: unknown) => unknown>): void {
  const names = keys(methods);
  for (let at = 0; at < names.length; at += 1) {
    const method = methods[names[at]!]!;
    nameFunction(method, names[at]!);
    defineProperty(method, 'length', { __proto__: null, value: 0, configurable: true } as PropertyDescriptor);
    defineHidden(owner, names[at]!, method);
  }
}

function defineTag(owner: object, tag: string): void {
  const value = { __proto__: null, value: tag, writable: false, configurable: true, enumerable: false };
  defineProperty(owner, symbolToStringTag, value as PropertyDescriptor);
}

interface InstantLike {
  readonly constructor: { fromEpochMilliseconds(ms: number): InstantLike };
  toZonedDateTimeISO(zone: unknown): ZonedLike;
  until(other: InstantLike): object;
}
interface ZonedLike {
  toPlainDateTime(): object;
  toPlainDate(): { toPlainYearMonth(): object; toPlainMonthDay(): object };
  toPlainTime(): object;
}
