import { nowMs } from './clock.ts';
import {
  apply,
  construct,
  defineProperty,
  getOwnPropertyDescriptor,
  hasOwn,
  NativeProxy,
  reflectGet,
  uncurryThis,
} from './primordials.ts';
import { replaceMethod } from './removals.ts';

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

/** Temporal reads the machine's clock and zone through `Temporal.Now` alone. */
function fixTemporal(): void {
  const temporal = (globalThis as unknown as { Temporal?: TemporalLike }).Temporal;
  if (temporal === undefined) return;
  const { Instant, Now } = temporal;
  const { fromEpochMilliseconds } = Instant;
  const instant = () => fromEpochMilliseconds(nowMs());
  const zoned = (zone: unknown = TIME_ZONE) => instant().toZonedDateTimeISO(zone);
  const readings: Record<string, (zone?: unknown) => unknown> = {
    instant,
    timeZoneId: () => TIME_ZONE,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone) => zoned(zone).toPlainTime(),
  };
  for (const [name, read] of Object.entries(readings)) {
    defineProperty(Now, name, { value: read, writable: true, configurable: true, enumerable: false });
  }
}

interface TemporalLike {
  Now: object;
  Instant: { fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(zone: unknown): ZonedLike } };
}
interface ZonedLike {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}
