import { definePairMethods } from './pair-iterator.ts';
import {
  arrayPush,
  arraySort,
  charCodeAt,
  getOwnPropertyDescriptor,
  NativeTypeError,
  ownKeys,
  regExpExec,
  stringLower,
  stringSlice,
  symbolIterator,
} from './primordials.ts';
import { webClass } from './web-class.ts';

export type HeaderList = [name: string, value: string][];
type HeadersSource = Headers | Iterable<readonly [string, string]> | Record<string, string> | undefined | null;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that Fetch forbids in a value.
const FORBIDDEN = /[\0\r\n]|[^\x00-\xff]/;

function checkedName(name: unknown): string {
  const text = `${name as string}`;
  if (regExpExec(TOKEN, text) === null) throw new NativeTypeError(`"${text}" is not a valid header name`);
  return stringLower(text);
}

function checkedValue(name: string, value: unknown): string {
  const text = trimEdges(`${value as string}`);
  if (regExpExec(FORBIDDEN, text) !== null) {
    throw new NativeTypeError(`The header ${name} has a value with characters that a header cannot carry`);
  }
  return text;
}

const isBlank = (unit: number): boolean => unit === 32 || unit === 9 || unit === 10 || unit === 13;

function trimEdges(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(charCodeAt(text, from))) from += 1;
  while (to > from && isBlank(charCodeAt(text, to - 1))) to -= 1;
  return to - from === text.length ? text : stringSlice(text, from, to);
}

let copyOf: (headers: Headers) => Headers;
let listOf: (headers: Headers) => HeaderList;
let pairsOf: (headers: Headers) => HeaderList;
let forbid: (headers: Headers) => void;
let isReal: (value: unknown) => boolean;
let fromList: (list: HeaderList) => Headers;

/** Fetch's Headers: names are case-insensitive, values of one name are joined with a comma, `set-cookie` stays apart. */
export class Headers {
  /** Names in lower case, in the order in which they came. */
  #list: HeaderList = [];
  /** Sorted and joined, until something changes. */
  #pairs: HeaderList | null = null;
  #isReadOnly = false;

  static {
    listOf = (headers) => headers.#list;
    pairsOf = (headers) => {
      headers.#pairs ??= sortedAndJoined(headers.#list);
      return headers.#pairs;
    };
    forbid = (headers) => {
      headers.#isReadOnly = true;
    };
    isReal = (value) => typeof value === 'object' && value !== null && #list in value;
    copyOf = (headers) => {
      const made = new Headers();
      copyInto(made.#list, headers.#list);
      return made;
    };
    fromList = (list) => {
      const headers = new Headers();
      headers.#list = list;
      return headers;
    };
  }

  constructor(source?: HeadersSource) {
    if (source === undefined) return;
    if (isHeaders(source) && isWalkedAsUsual(source)) {
      copyInto(this.#list, source.#list);
      return;
    }
    if ((typeof source !== 'object' && typeof source !== 'function') || source === null) {
      throw new NativeTypeError('Headers are made from an object, pairs or Headers');
    } else if (isIterable(source)) {
      for (const pair of source as Iterable<Iterable<string>>) {
        const fields = fieldsOf(pair);
        if (fields.length !== 2) throw new NativeTypeError('Each header is a pair: [name, value]');
        this.append(fields[0]!, fields[1]!);
      }
    } else {
      const pairs = recordOf(source as Record<PropertyKey, unknown>);
      for (let at = 0; at < pairs.length; at += 1) {
        const pair = pairs[at]!;
        pair[0] = checkedName(pair[0]);
        pair[1] = checkedValue(pair[0], pair[1]);
      }
      this.#list = pairs;
    }
  }

  append(name: string, value: string): void {
    const key = checkedName(name);
    const text = checkedValue(key, value);
    this.#change();
    arrayPush(this.#list, [key, text]);
  }

  set(name: string, value: string): void {
    const key = checkedName(name);
    const text = checkedValue(key, value);
    this.#change();
    this.#remove(key);
    arrayPush(this.#list, [key, text]);
  }

  get(name: string): string | null {
    const key = checkedName(name);
    const list = this.#list;
    let joined: string | null = null;
    for (let at = 0; at < list.length; at += 1) {
      if (list[at]![0] === key) joined = joined === null ? list[at]![1] : `${joined}, ${list[at]![1]}`;
    }
    return joined;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  delete(name: string): void {
    const key = checkedName(name);
    this.#change();
    this.#remove(key);
  }

  getSetCookie(): string[] {
    const values: string[] = [];
    for (let at = 0; at < this.#list.length; at += 1) {
      if (this.#list[at]![0] === 'set-cookie') arrayPush(values, this.#list[at]![1]);
    }
    return values;
  }

  #change(): void {
    if (this.#isReadOnly)
      throw new NativeTypeError('These headers cannot be changed; new Headers(headers) makes a copy that can');
    this.#pairs = null;
  }

  #remove(key: string): void {
    const kept: HeaderList = [];
    for (let at = 0; at < this.#list.length; at += 1) {
      if (this.#list[at]![0] !== key) arrayPush(kept, this.#list[at]!);
    }
    this.#list = kept;
  }
}
definePairMethods(Headers, 'Headers', (headers) => pairsOf(headers as Headers));
webClass(Headers, 'Headers');

const usualWalk = getOwnPropertyDescriptor(Headers.prototype, symbolIterator)!.value as unknown;
/** Web IDL knows no headers here, only what has an iterator; that of others is asked, even where they are headers. */
const isWalkedAsUsual = (headers: Headers): boolean =>
  (headers as unknown as Record<symbol, unknown>)[symbolIterator] === usualWalk;

/** A record of Web IDL: each name is read before its value, and all before the first is used. */
function recordOf(source: Record<PropertyKey, unknown>): [string, string][] {
  const pairs: [string, string][] = [];
  const names = ownKeys(source);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    if (getOwnPropertyDescriptor(source, name)?.enumerable) arrayPush(pairs, [byteText(name), byteText(source[name])]);
  }
  return pairs;
}

function byteText(value: unknown): string {
  const text = `${value as string}`;
  for (let at = 0; at < text.length; at += 1) {
    if (charCodeAt(text, at) > 0xff) throw new NativeTypeError('A header has characters up to U+00FF only');
  }
  return text;
}

const isHeaders = (value: unknown): value is Headers => isReal(value);

/** Web IDL takes an object for a sequence where it has an iterator, whatever that is. */
function isIterable(value: object): boolean {
  const method = (value as { [symbolIterator]?: unknown })[symbolIterator];
  if (method === undefined || method === null) return false;
  if (typeof method !== 'function') throw new NativeTypeError('The iterator of the headers is no function');
  return true;
}

function fieldsOf(pair: Iterable<string>): string[] {
  if (typeof pair !== 'object' || pair === null) throw new NativeTypeError('Each header is a pair: [name, value]');
  const fields: string[] = [];
  for (const field of pair) {
    arrayPush(fields, field);
    if (fields.length > 2) break;
  }
  return fields;
}

/** The same headers once more, that can be changed. */
export const copiedHeaders = (headers: Headers): Headers => copyOf(headers);

/** Headers that a plugin can read only. */
export function readOnlyHeaders(headers: Headers): Headers {
  forbid(headers);
  return headers;
}

/** The headers behind a Headers object, as they came. */
export const headerListOf = (headers: Headers): HeaderList => listOf(headers);

/** Headers over a list that needs no check: names in lower case, values as the host sent them. */
export const headersFromList = (list: HeaderList): Headers => fromList(list);

function copyInto(target: HeaderList, source: HeaderList): void {
  for (let at = 0; at < source.length; at += 1) arrayPush(target, [source[at]![0], source[at]![1]]);
}

function sortedAndJoined(list: HeaderList): HeaderList {
  const joined: HeaderList = [];
  for (let at = 0; at < list.length; at += 1) {
    const name = list[at]![0];
    const value = list[at]![1];
    const known = name === 'set-cookie' ? undefined : findPair(joined, name);
    if (known) known[1] = `${known[1]}, ${value}`;
    else arrayPush(joined, [name, value]);
  }
  return arraySort(joined, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

function findPair(list: HeaderList, name: string): HeaderList[number] | undefined {
  for (let at = 0; at < list.length; at += 1) if (list[at]![0] === name) return list[at];
  return undefined;
}
