import {
  arrayJoin,
  arrayPush,
  dateGetTime,
  dateToIso,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  is,
  isArray,
  isBranded,
  jsonStringify,
  mapForEach,
  mapSize,
  min,
  NativeError,
  NativePromise,
  NativeString,
  ownKeys,
  regExpExec,
  regExpToString,
  SafeSet,
  setForEach,
  setSize,
  stringSlice,
  symbolToString,
  typedArrayBuffer,
  typedArrayKind,
} from './primordials.ts';
import { shownPairs } from './web-class.ts';

const DEPTH_MAX = 4;
const ENTRIES_MAX = 100;
const TEXT_UNITS_MAX = 8_192;
const LINE_UNITS_MAX = 76;

interface Progress {
  /** Characters that may still be written; what comes after is left out. */
  unitsLeft: number;
  path: SafeSet<unknown>;
}

/** Any value as a reader of a log wants it, in the manner of Node's util.inspect. Never throws, calls no getter, and is capped. */
export function inspect(value: unknown): string {
  const progress: Progress = { unitsLeft: TEXT_UNITS_MAX, path: new SafeSet() };
  const text = show(value, 0, progress);
  return text.length > TEXT_UNITS_MAX ? `${stringSlice(text, 0, TEXT_UNITS_MAX)}…` : text;
}

function show(value: unknown, depth: number, progress: Progress): string {
  if (progress.unitsLeft <= 0) return '…';
  const text = showAny(value, depth, progress);
  progress.unitsLeft -= min(text.length, 64);
  return text;
}

function showAny(value: unknown, depth: number, progress: Progress): string {
  switch (typeof value) {
    case 'string':
      return quote(value, progress.unitsLeft);
    case 'bigint':
      return `${NativeString(value)}n`;
    case 'symbol':
      return symbolToString(value);
    case 'number':
      return is(value, -0) ? '-0' : NativeString(value);
    case 'function':
      return showGuardedFunction(value);
    case 'object':
      return value === null ? 'null' : showGuarded(value, depth, progress);
    default:
      return NativeString(value);
  }
}

function quote(text: string, unitsMax: number): string {
  const shown = text.length > unitsMax ? `${stringSlice(text, 0, unitsMax)}…` : text;
  const json = jsonStringify(shown);
  return regExpExec(/['\\]/, json) === null && regExpExec(/"/, shown) === null ? `'${stringSlice(json, 1, -1)}'` : json;
}

function showGuardedFunction(value: object): string {
  try {
    return showFunction(value);
  } catch {
    return '[Function (unreadable)]';
  }
}

function showFunction(value: object): string {
  const name = ownValue(value, 'name');
  return typeof name === 'string' && name !== ''
    ? `[Function: ${stringSlice(name, 0, 100)}]`
    : '[Function (anonymous)]';
}

/** Proxies may throw from any trap. */
function showGuarded(value: object, depth: number, progress: Progress): string {
  if (progress.path.has(value)) return '[Circular]';
  progress.path.add(value);
  try {
    return showObject(value, depth, progress);
  } catch {
    return '[unreadable]';
  } finally {
    progress.path.delete(value);
  }
}

function showObject(value: object, depth: number, progress: Progress): string {
  if (value instanceof NativeError) return showError(value, depth, progress);
  if (isBranded(dateGetTime, value))
    return is(dateGetTime(value as Date), Number.NaN) ? 'Invalid Date' : dateToIso(value as Date);
  if (isBranded(regExpToString, value) && regExpTag(value)) return regExpToString(value as RegExp);
  const name = className(value);
  if (depth > DEPTH_MAX) return isArray(value) ? '[Array]' : `[${name}]`;
  if (isArray(value)) return showList(value, value.length, '', depth, progress);
  const kind = typedArrayKind(value);
  if (kind !== undefined) {
    const list = value as Uint8Array;
    const { length } = list;
    return isBranded(typedArrayBuffer, value) ? showList(list, length, `${kind}(${length}) `, depth, progress) : kind;
  }
  if (isBranded(mapSize, value)) return showMap(value as Map<unknown, unknown>, depth, progress);
  if (isBranded(setSize, value)) return showSet(value as Set<unknown>, depth, progress);
  if (value instanceof NativePromise) return 'Promise { … }';
  const pairs = shownPairs(value);
  const fields = showFields(value, depth, progress);
  return braces(
    name === 'Object' ? '' : `${name} `,
    pairs === null ? fields : showPairs(pairs, fields, depth, progress),
    '{',
    '}',
    depth,
  );
}

/** Before the fields that the plugin has put there. */
function showPairs(
  pairs: readonly (readonly [string, unknown])[],
  fields: string[],
  depth: number,
  progress: Progress,
): string[] {
  const parts: string[] = [];
  for (let at = 0; at < pairs.length && at < ENTRIES_MAX && progress.unitsLeft > 0; at += 1) {
    arrayPush(parts, `${showKey(pairs[at]![0])}: ${show(pairs[at]![1], depth + 1, progress)}`);
  }
  withRest(parts, pairs.length);
  for (let at = 0; at < fields.length; at += 1) arrayPush(parts, fields[at]!);
  return parts;
}

/** `RegExp.prototype.toString` works on any object, so its brand is the own `lastIndex`. */
const regExpTag = (value: object): boolean =>
  getOwnPropertyDescriptor(value, 'lastIndex') !== undefined && className(value) === 'RegExp';

function showError(error: Error, depth: number, progress: Progress): string {
  const stack = ownValue(error, 'stack') ?? error.stack;
  const head = `${className(error)}: ${NativeString(error.message)}`;
  const text = typeof stack === 'string' && stack !== '' ? stack : head;
  const shown = depth > 0 ? `[${head}]` : text;
  const more = showFields(error, depth, progress);
  return more.length === 0 ? shown : `${shown} ${braces('', more, '{', '}', depth)}`;
}

function showList(list: ArrayLike<unknown>, length: number, prefix: string, depth: number, progress: Progress): string {
  const parts: string[] = [];
  for (let at = 0; at < min(length, ENTRIES_MAX); at += 1) {
    const slot = getOwnPropertyDescriptor(list, at);
    const text = slot === undefined ? '<empty>' : 'value' in slot ? show(slot.value, depth + 1, progress) : '[Getter]';
    arrayPush(parts, text);
    if (progress.unitsLeft <= 0) break;
  }
  if (length > parts.length) arrayPush(parts, `… ${length - parts.length} more`);
  return braces(prefix, parts, '[', ']', depth);
}

function showMap(map: Map<unknown, unknown>, depth: number, progress: Progress): string {
  const parts: string[] = [];
  mapForEach(map, (value, key) => {
    if (parts.length < ENTRIES_MAX && progress.unitsLeft > 0) {
      arrayPush(parts, `${show(key, depth + 1, progress)} => ${show(value, depth + 1, progress)}`);
    }
  });
  return braces(`Map(${mapSize(map)}) `, withRest(parts, mapSize(map)), '{', '}', depth);
}

function showSet(set: Set<unknown>, depth: number, progress: Progress): string {
  const parts: string[] = [];
  setForEach(set, (value) => {
    if (parts.length < ENTRIES_MAX && progress.unitsLeft > 0) arrayPush(parts, show(value, depth + 1, progress));
  });
  return braces(`Set(${setSize(set)}) `, withRest(parts, setSize(set)), '{', '}', depth);
}

function withRest(parts: string[], total: number): string[] {
  if (total > parts.length) arrayPush(parts, `… ${total - parts.length} more`);
  return parts;
}

function showFields(value: object, depth: number, progress: Progress): string[] {
  const parts: string[] = [];
  const names = ownKeys(value);
  for (let at = 0; at < names.length; at += 1) {
    const slot = getOwnPropertyDescriptor(value, names[at]!);
    if (!slot?.enumerable) continue;
    if (parts.length >= ENTRIES_MAX || progress.unitsLeft <= 0) {
      arrayPush(parts, `… ${names.length - at} more`);
      break;
    }
    const text = 'value' in slot ? show(slot.value, depth + 1, progress) : slot.get ? '[Getter]' : '[Setter]';
    arrayPush(parts, `${showKey(names[at]!)}: ${text}`);
  }
  return parts;
}

function showKey(key: PropertyKey): string {
  if (typeof key === 'symbol') return `[${symbolToString(key)}]`;
  const name = stringSlice(NativeString(key), 0, 200);
  return regExpExec(/^[A-Za-z_$][\w$]*$/, name) === null ? quote(name, 200) : name;
}

function braces(prefix: string, parts: string[], open: string, close: string, depth: number): string {
  if (parts.length === 0) return `${prefix}${open}${close}`;
  const line = arrayJoin(parts, ', ');
  const indent = stringSlice('                ', 0, (depth + 1) * 2);
  if (line.length + prefix.length + indent.length <= LINE_UNITS_MAX) {
    return open === '[' ? `${prefix}[ ${line} ]` : `${prefix}{ ${line} }`;
  }
  return `${prefix}${open}\n${indent}${arrayJoin(parts, `,\n${indent}`)}\n${stringSlice(indent, 2)}${close}`;
}

function className(value: object): string {
  const owner = getPrototypeOf(value) as object | null;
  if (owner === null) return '[Object: null prototype]';
  const maker = ownValue(owner, 'constructor');
  const name = typeof maker === 'function' ? ownValue(maker, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? stringSlice(name, 0, 100) : 'Object';
}

function ownValue(owner: object, key: PropertyKey): unknown {
  const slot = getOwnPropertyDescriptor(owner, key);
  return slot !== undefined && 'value' in slot ? slot.value : undefined;
}
