import type { LogLevel } from '../contract/capabilities/log.ts';
import { framesOf } from './frames.ts';
import { inspect } from './inspect.ts';
import { currentInvocation, type Invocation } from './invocation.ts';
import { writeLog } from './logging.ts';
import {
  arrayPush,
  charCodeAt,
  jsonStringify,
  NativeError,
  NativeNumber,
  NativeString,
  stringIndexOf,
  stringSlice,
  trunc,
} from './primordials.ts';

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
    if (startupLines.length < STARTUP_LINES_MAX) arrayPush(startupLines, { level, message: formatArguments(args) });
  } else if (!invocation.over) {
    writeLog(invocation, 'console', level, formatArguments(args));
  }
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

/** The console of a plugin: everything becomes a log record of the invocation whose turn it is. */
export const pluginConsole = {
  debug: (...args: unknown[]): void => write('debug', args),
  log: (...args: unknown[]): void => write('info', args),
  info: (...args: unknown[]): void => write('info', args),
  warn: (...args: unknown[]): void => write('warn', args),
  error: (...args: unknown[]): void => write('error', args),
  dir: (value: unknown): void => write('info', [inspect(value)]),
  table: (...args: unknown[]): void => write('info', args),
  group: (...args: unknown[]): void => write('info', args),
  groupCollapsed: (...args: unknown[]): void => write('info', args),
  groupEnd: (): void => {},
  assert: (condition: unknown, ...args: unknown[]): void => {
    if (!condition) write('error', [`Assertion failed${args.length > 0 ? `: ${formatArguments(args)}` : ''}`]);
  },
  trace: (...args: unknown[]): void => {
    const frames = framesOf(new NativeError());
    write('debug', [`Trace: ${formatArguments(args)}\n${frames}`]);
  },
};
