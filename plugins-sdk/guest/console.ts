import type { LogLevel } from '../contract/capabilities/log.ts';
import { elapsedMs } from './clock.ts';
import { framesOf } from './frames.ts';
import { inspect } from './inspect.ts';
import { currentInvocation, type Invocation } from './invocation.ts';
import { writeLog } from './logging.ts';
import {
  arrayPush,
  charCodeAt,
  create,
  defineOpen,
  defineProperty,
  jsonStringify,
  keys,
  NativeError,
  NativeNumber,
  NativeString,
  NativeWeakMap,
  objectPrototype,
  SafeMap,
  stringIndexOf,
  stringSlice,
  symbolToStringTag,
  trunc,
  weakMapGet,
  weakMapSet,
} from './primordials.ts';

/** What `count`, `time` and `group` remember, of one invocation or of the start of the bundle. */
interface Memory {
  counts: SafeMap<string, number>;
  timers: SafeMap<string, number>;
  indent: string;
}

const memories = new NativeWeakMap<object, Memory>();
const ofStartup = {};

function memory(): Memory {
  const owner = currentInvocation() ?? ofStartup;
  const known = weakMapGet(memories, owner);
  if (known !== undefined) return known;
  const made: Memory = { counts: new SafeMap(), timers: new SafeMap(), indent: '' };
  weakMapSet(memories, owner, made);
  return made;
}

const STARTUP_LINES_MAX = 50;

/** What was logged while the bundle started: that belongs to no invocation, so only `describe` shows it. */
const startupLines: { level: LogLevel; message: string }[] = [];

export function showStartupLines(invocation: Invocation): void {
  for (let at = 0; at < startupLines.length; at += 1) {
    writeLog(invocation, 'console', startupLines[at]!.level, startupLines[at]!.message);
  }
}

function write(level: LogLevel, args: unknown[]): void {
  const invocation = currentInvocation();
  if (invocation === null) {
    if (startupLines.length < STARTUP_LINES_MAX) arrayPush(startupLines, { level, message: indented(args) });
  } else if (!invocation.over) {
    writeLog(invocation, 'console', level, indented(args));
  }
}

/** The text of a line, behind the indentation of its groups. */
function indented(args: unknown[]): string {
  const kept = weakMapGet(memories, currentInvocation() ?? ofStartup);
  return kept === undefined ? formatArguments(args) : kept.indent + formatArguments(args);
}

/** Joins arguments as `console.log` does: strings as they are, other values inspected, `%s %d %i %f %j %o %O %c` filled in. */
export function formatArguments(args: readonly unknown[]): string {
  const first = args[0];
  let used = 0;
  let text = '';
  if (typeof first === 'string') {
    used = 1;
    text = first;
    if (args.length > 1 && stringIndexOf(first, '%') >= 0) {
      const filled = fillTemplate(first, args);
      text = filled.text;
      used = filled.used;
    }
  }
  for (let at = used; at < args.length; at += 1) {
    const part = args[at];
    text += `${at > 0 ? ' ' : ''}${typeof part === 'string' ? part : inspect(part)}`;
  }
  return text;
}

function fillTemplate(template: string, args: readonly unknown[]): { text: string; used: number } {
  let text = '';
  let used = 1;
  let from = 0;
  for (
    let at = stringIndexOf(template, '%');
    at >= 0 && at + 1 < template.length;
    at = stringIndexOf(template, '%', at + 2)
  ) {
    const kind = charCodeAt(template, at + 1);
    const filled = kind === PERCENT ? '%' : used < args.length ? fill(kind, args[used]) : undefined;
    if (filled === undefined) continue;
    if (kind !== PERCENT) used += 1;
    text += stringSlice(template, from, at) + filled;
    from = at + 2;
  }
  return { text: text + stringSlice(template, from), used };
}
const PERCENT = 37;

function fill(kind: number, value: unknown): string | undefined {
  switch (kind) {
    case 115: // s
      return typeof value === 'string' ? value : inspect(value);
    case 100: // d
      return typeof value === 'object' ? 'NaN' : toNumber(value);
    case 105: // i
      return typeof value === 'object' ? 'NaN' : toNumber(value, true);
    case 102: // f
      return typeof value === 'object' ? 'NaN' : toNumber(value);
    case 106: // j
      return json(value);
    case 111: // o
    case 79: // O
      return inspect(value);
    case 99: // c: a style, which a log does not have
      return '';
    default:
      return undefined;
  }
}

function toNumber(value: unknown, whole = false): string {
  if (typeof value === 'bigint') return `${NativeString(value)}n`;
  if (typeof value === 'symbol') return 'NaN';
  const number = NativeNumber(value);
  return NativeString(whole ? trunc(number) : number);
}

function json(value: unknown): string {
  try {
    return jsonStringify(value) ?? 'undefined';
  } catch {
    return inspect(value);
  }
}

const LABELS_MAX = 1_000;
const INDENT_UNITS_MAX = 40;

/** The label, where there is room for it among the others of its kind. */
function labelIn(labels: SafeMap<string, number>, label: unknown): string | null {
  const text = label === undefined ? 'default' : `${label as string}`;
  return labels.size < LABELS_MAX || labels.has(text) ? text : null;
}

function tellTime(label: unknown, args: unknown[], ends: boolean): void {
  const { timers } = memory();
  const name = labelIn(timers, label);
  const startedMs = name === null ? undefined : timers.get(name);
  if (name === null || startedMs === undefined) {
    write('warn', [`There is no timer ${name ?? ''}`]);
    return;
  }
  if (ends) timers.delete(name);
  const rest = args.length > 0 ? ` ${formatArguments(args)}` : '';
  write('info', [`${name}: ${elapsedMs() - startedMs} ms${rest}`]);
}

function group(args: unknown[]): void {
  if (args.length > 0) write('info', args);
  const kept = memory();
  if (kept.indent.length < INDENT_UNITS_MAX) kept.indent += '  ';
}

/** The console of a plugin: everything becomes a log record of the invocation whose turn it is. */
const methods: Record<string, (...args: unknown[]) => void> = {
  assert(condition: unknown = false, ...args: unknown[]): void {
    if (!condition) write('error', [`Assertion failed${args.length > 0 ? `: ${formatArguments(args)}` : ''}`]);
  },
  clear(): void {
    memory().indent = '';
  },
  debug(...args: unknown[]): void {
    write('debug', args);
  },
  error(...args: unknown[]): void {
    write('error', args);
  },
  info(...args: unknown[]): void {
    write('info', args);
  },
  log(...args: unknown[]): void {
    write('info', args);
  },
  table(...args: unknown[]): void {
    write('info', args);
  },
  trace(...args: unknown[]): void {
    const frames = framesOf(new NativeError());
    write('debug', [`Trace: ${formatArguments(args)}\n${frames}`]);
  },
  warn(...args: unknown[]): void {
    write('warn', args);
  },
  dir(value: unknown = undefined): void {
    write('info', [inspect(value)]);
  },
  dirxml(...args: unknown[]): void {
    write('info', args);
  },
  count(label: unknown = 'default'): void {
    const { counts } = memory();
    const name = labelIn(counts, label);
    if (name === null) return;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    write('info', [`${name}: ${count}`]);
  },
  countReset(label: unknown = 'default'): void {
    const { counts } = memory();
    const name = labelIn(counts, label);
    if (name !== null && !counts.delete(name)) write('warn', [`There is no counter ${name}`]);
  },
  group(...args: unknown[]): void {
    group(args);
  },
  groupCollapsed(...args: unknown[]): void {
    group(args);
  },
  groupEnd(): void {
    const kept = memory();
    kept.indent = stringSlice(kept.indent, 2);
  },
  time(label: unknown = 'default'): void {
    const { timers } = memory();
    const name = labelIn(timers, label);
    if (name === null) return;
    if (timers.has(name)) write('warn', [`There is a timer ${name} already`]);
    else timers.set(name, elapsedMs());
  },
  timeLog(label: unknown = 'default', ...args: unknown[]): void {
    tellTime(label, args, false);
  },
  timeEnd(label: unknown = 'default'): void {
    tellTime(label, [], true);
  },
};

/** A namespace object: its prototype is an empty object of its own. */
export const pluginConsole = create(create(objectPrototype) as object) as Record<string, (...args: unknown[]) => void>;
for (const name of keys(methods)) defineOpen(pluginConsole, name, methods[name]);
const tag = { __proto__: null, value: 'console', writable: false, configurable: true, enumerable: false };
defineProperty(pluginConsole, symbolToStringTag, tag as PropertyDescriptor);
