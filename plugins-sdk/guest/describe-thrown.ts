import { framesOf } from './frames.ts';
import { inspect } from './inspect.ts';
import { arrayPush, isArray, min, SafeSet, stringSlice } from './primordials.ts';

const MESSAGE_UNITS_MAX = 2_000;
const NAME_UNITS_MAX = 100;
const STACK_UNITS_MAX = 8_000;
const CAUSES_MAX = 4;

/** Every field is its own, also where there is nothing to say: an absent one would be looked up on Object.prototype. */
export interface ThrownDescription {
  message: string;
  name: string | undefined;
  stack: string | undefined;
}

/** Shortens a text and says by how much. */
export const capText = (text: string, unitsMax: number): string =>
  text.length <= unitsMax ? text : `${stringSlice(text, 0, unitsMax)}… (${text.length - unitsMax} more characters)`;

/**
 * Whatever a plugin threw, as three capped strings. Never throws: getters that throw, proxies, null and texts of any
 * length are results here. An endless getter is ended by the timeout of the turn, which covers this code.
 */
export function describeThrown(thrown: unknown): ThrownDescription {
  try {
    return describe(thrown);
  } catch {
    return { message: 'The plugin threw something that cannot be described.', name: undefined, stack: undefined };
  }
}

function describe(thrown: unknown): ThrownDescription {
  if (!isObject(thrown)) {
    const message = typeof thrown === 'string' ? capText(thrown, MESSAGE_UNITS_MAX) : inspect(thrown);
    return {
      message: message === '' ? 'The plugin threw an empty string.' : message,
      name: undefined,
      stack: undefined,
    };
  }
  const message = readText(thrown, 'message', MESSAGE_UNITS_MAX);
  const name = readText(thrown, 'name', NAME_UNITS_MAX);
  if (message === undefined)
    return { message: `The plugin threw ${capText(inspect(thrown), MESSAGE_UNITS_MAX)}`, name, stack: undefined };
  const seen = new SafeSet<unknown>();
  seen.add(thrown);
  const stack = framesOf(thrown) + describeCauses(thrown, seen);
  return { message, name, stack: stack === '' ? undefined : capText(stack, STACK_UNITS_MAX) };
}

/** `Caused by: ...` for the chain of causes and for the first errors of an AggregateError. */
function describeCauses(error: object, seen: SafeSet<unknown>): string {
  let text = '';
  const causes = [read(error, 'cause')];
  const errors = read(error, 'errors');
  const count = listLength(errors);
  for (let at = 0; at < count; at += 1) arrayPush(causes, read(errors as object, at));
  for (let at = 0; at < causes.length; at += 1) {
    const cause = causes[at];
    if (cause === undefined || cause === null || seen.has(cause) || seen.size > CAUSES_MAX) continue;
    seen.add(cause);
    const label = isObject(cause) ? readText(cause, 'name', NAME_UNITS_MAX) : undefined;
    const message = isObject(cause) ? readText(cause, 'message', MESSAGE_UNITS_MAX) : undefined;
    const frames = framesOf(cause);
    text += `\nCaused by: ${label === undefined ? '' : `${label}: `}${message ?? capText(inspect(cause), 200)}`;
    if (frames !== '') text += `\n${frames}`;
    if (isObject(cause)) text += describeCauses(cause, seen);
  }
  return text;
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** How many entries of a list are looked at; 0 for what is none, and for proxies that will not say. */
function listLength(list: unknown): number {
  try {
    if (!isArray(list)) return 0;
    const { length } = list;
    return typeof length === 'number' && length > 0 ? min(length, CAUSES_MAX) : 0;
  } catch {
    return 0;
  }
}

function read(owner: object, key: PropertyKey): unknown {
  try {
    return (owner as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

function readText(owner: object, key: string, unitsMax: number): string | undefined {
  const value = read(owner, key);
  return typeof value === 'string' && value !== '' ? capText(value, unitsMax) : undefined;
}
