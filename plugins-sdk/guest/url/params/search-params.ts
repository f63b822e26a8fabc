// biome-ignore-all lint/complexity/noArguments: Web IDL counts what was given, and a rest parameter would change `length`.

import { definePairMethods } from '../../pair-iterator.ts';
import {
  apply,
  arrayPush,
  arraySort,
  charCodeAt,
  getOwnPropertyDescriptor,
  NativeTypeError,
  ownKeys,
  stringIndexOf,
  stringSlice,
  stringWellFormed,
  symbolIterator,
} from '../../primordials.ts';
import { webClass } from '../../web-class.ts';
import { formEncode, percentDecode } from '../percent.ts';

type Pair = [name: string, value: string];

/** Pairs of `application/x-www-form-urlencoded` text. */
export function parseForm(text: string): Pair[] {
  const pairs: Pair[] = [];
  for (let from = 0; from <= text.length; ) {
    let to = stringIndexOf(text, '&', from);
    if (to < 0) to = text.length;
    if (to > from) {
      const piece = stringSlice(text, from, to);
      const equals = stringIndexOf(piece, '=');
      const name = equals < 0 ? piece : stringSlice(piece, 0, equals);
      const value = equals < 0 ? '' : stringSlice(piece, equals + 1);
      arrayPush(pairs, [percentDecode(name, true), percentDecode(value, true)]);
    }
    from = to + 1;
  }
  return pairs;
}

function writeForm(pairs: readonly Pair[]): string {
  let text = '';
  for (let at = 0; at < pairs.length; at += 1) {
    text += `${at > 0 ? '&' : ''}${formEncode(pairs[at]![0])}=${formEncode(pairs[at]![1])}`;
  }
  return text;
}

const usv = (value: unknown): string => stringWellFormed(`${value as string}`);

function need(given: number, wanted: number, method: string): void {
  if (given < wanted)
    throw new NativeTypeError(`URLSearchParams.${method} takes ${wanted} argument${wanted > 1 ? 's' : ''}`);
}

let listOf: (params: URLSearchParams) => Pair[];
let fill: (params: URLSearchParams, pairs: Pair[], onChange: (text: string) => void) => void;
/** The parameters of a URL object: `onChange` gets the query whenever they change. */
export function linkedParams(text: string, onChange: (text: string) => void): URLSearchParams {
  const params = new URLSearchParams();
  fill(params, parseForm(text), onChange);
  return params;
}

let refill: (params: URLSearchParams, pairs: Pair[]) => void;
/** Tells parameters of a URL object that its query was set. */
export const replaceParams = (params: URLSearchParams, text: string): void => refill(params, parseForm(text));

export class URLSearchParams {
  declare entries: () => IterableIterator<[string, string]>;
  declare keys: () => IterableIterator<string>;
  declare values: () => IterableIterator<string>;
  declare forEach: (visit: (value: string, name: string, params: URLSearchParams) => void, self?: unknown) => void;
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;
  #pairs: Pair[] = [];
  #onChange: ((text: string) => void) | null = null;

  static {
    listOf = (params) => params.#pairs;
    fill = (params, pairs, onChange) => {
      params.#pairs = pairs;
      params.#onChange = onChange;
    };
    refill = (params, pairs) => {
      params.#pairs = pairs;
    };
  }

  constructor(init: unknown = '') {
    this.#pairs =
      (typeof init === 'object' && init !== null) || typeof init === 'function' ? pairsOf(init) : parseText(usv(init));
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    const pairs = this.#pairs;
    need(arguments.length, 2, 'append');
    arrayPush(pairs, [usv(name), usv(value)]);
    this.#changed();
  }

  delete(name: string, value: string | undefined = undefined): void {
    const pairs = this.#pairs;
    need(arguments.length, 1, 'delete');
    const key = usv(name);
    const wanted = value === undefined ? undefined : usv(value);
    const kept: Pair[] = [];
    for (let at = 0; at < pairs.length; at += 1) {
      const pair = pairs[at]!;
      if (pair[0] !== key || (wanted !== undefined && pair[1] !== wanted)) arrayPush(kept, pair);
    }
    this.#pairs = kept;
    this.#changed();
  }

  get(name: string): string | null {
    const pairs = this.#pairs;
    need(arguments.length, 1, 'get');
    const key = usv(name);
    for (let at = 0; at < pairs.length; at += 1) if (pairs[at]![0] === key) return pairs[at]![1];
    return null;
  }

  getAll(name: string): string[] {
    const pairs = this.#pairs;
    need(arguments.length, 1, 'getAll');
    const key = usv(name);
    const values: string[] = [];
    for (let at = 0; at < pairs.length; at += 1) if (pairs[at]![0] === key) arrayPush(values, pairs[at]![1]);
    return values;
  }

  has(name: string, value: string | undefined = undefined): boolean {
    const pairs = this.#pairs;
    need(arguments.length, 1, 'has');
    const key = usv(name);
    const wanted = value === undefined ? undefined : usv(value);
    for (let at = 0; at < pairs.length; at += 1) {
      if (pairs[at]![0] === key && (wanted === undefined || pairs[at]![1] === wanted)) return true;
    }
    return false;
  }

  set(name: string, value: string): void {
    const pairs = this.#pairs;
    need(arguments.length, 2, 'set');
    const key = usv(name);
    const text = usv(value);
    const kept: Pair[] = [];
    let found = false;
    for (let at = 0; at < pairs.length; at += 1) {
      const pair = pairs[at]!;
      if (pair[0] !== key) arrayPush(kept, pair);
      else if (!found) {
        found = true;
        arrayPush(kept, [key, text]);
      }
    }
    if (!found) arrayPush(kept, [key, text]);
    this.#pairs = kept;
    this.#changed();
  }

  /** By names, as UTF-16 units; pairs of one name keep their order. */
  sort(): void {
    arraySort(this.#pairs, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#changed();
  }

  toString(): string {
    return writeForm(this.#pairs);
  }

  #changed(): void {
    if (this.#onChange !== null) this.#onChange(writeForm(this.#pairs));
  }
}
webClass(URLSearchParams, 'URLSearchParams');
definePairMethods(URLSearchParams, 'URLSearchParams', (self) => listOf(self as URLSearchParams));

const parseText = (text: string): Pair[] => parseForm(charCodeAt(text, 0) === 63 ? stringSlice(text, 1) : text);

/** A sequence of pairs, or a record. */
function pairsOf(init: object): Pair[] {
  const iterate = (init as Record<symbol, unknown>)[symbolIterator];
  if (iterate === undefined || iterate === null) return pairsOfRecord(init);
  if (typeof iterate !== 'function') throw new NativeTypeError('URLSearchParams: the value cannot be iterated');
  const pairs: Pair[] = [];
  eachOf(init, iterate, (item) => {
    if ((typeof item !== 'object' || item === null) && typeof item !== 'function') throw notPair();
    const inner = (item as Record<symbol, unknown>)[symbolIterator];
    if (typeof inner !== 'function') throw notPair();
    const texts: string[] = [];
    eachOf(item, inner, (part) => arrayPush(texts, usv(part)));
    if (texts.length !== 2) throw notPair();
    arrayPush(pairs, [texts[0]!, texts[1]!]);
  });
  return pairs;
}

const notPair = (): TypeError => new NativeTypeError('URLSearchParams: each item is a pair of a name and a value');

function eachOf(source: unknown, iterate: object, visit: (item: unknown) => void): void {
  const iterator = apply(iterate as () => unknown, source, []) as { next(): { done?: boolean; value: unknown } };
  const { next } = iterator;
  for (;;) {
    const step = apply(next, iterator, []) as { done?: boolean; value: unknown };
    if (step.done) return;
    visit(step.value);
  }
}

/** A later key that becomes the same text replaces the value of the first. */
function pairsOfRecord(record: object): Pair[] {
  const pairs: Pair[] = [];
  const names = ownKeys(record);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    if (!getOwnPropertyDescriptor(record, name)?.enumerable) continue;
    const key = usv(name);
    const value = usv((record as Record<PropertyKey, unknown>)[name]);
    let known = false;
    for (let index = 0; index < pairs.length; index += 1) {
      if (pairs[index]![0] !== key) continue;
      pairs[index]![1] = value;
      known = true;
    }
    if (!known) arrayPush(pairs, [key, value]);
  }
  return pairs;
}
