import { definePairMethods } from '../pair-iterator.ts';
import { arrayPush, defineProperty, keys, NativeTypeError, stringWellFormed } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { blobBytes, type File, isBlob, isFile, makeFile } from './blob.ts';

export type FormValue = string | File;
export type FormEntry = [name: string, value: FormValue];

let entriesOf: (form: unknown) => FormEntry[];
let isReal: (value: unknown) => boolean;

export class FormData {
  #entries: FormEntry[] = [];

  constructor(form: unknown = undefined) {
    if (form !== undefined) throw new NativeTypeError('There are no forms here: new FormData() takes nothing');
  }
  static {
    entriesOf = (form) => (form as FormData).#entries;
    isReal = (value) => typeof value === 'object' && value !== null && #entries in value;
  }

  append(...args: unknown[]): void {
    const entries = this.#entries;
    assertCount(args, 'append');
    arrayPush(entries, entryOf(args));
  }
  delete(...args: unknown[]): void {
    assertCount(args, 'delete');
    this.#entries = without(this.#entries, textOf(args[0]));
  }
  get(...args: unknown[]): FormValue | null {
    assertCount(args, 'get');
    const entries = this.#entries;
    const wanted = textOf(args[0]);
    for (let at = 0; at < entries.length; at += 1) if (entries[at]![0] === wanted) return entries[at]![1];
    return null;
  }
  getAll(...args: unknown[]): FormValue[] {
    assertCount(args, 'getAll');
    const entries = this.#entries;
    const wanted = textOf(args[0]);
    const values: FormValue[] = [];
    for (let at = 0; at < entries.length; at += 1) if (entries[at]![0] === wanted) arrayPush(values, entries[at]![1]);
    return values;
  }
  has(...args: unknown[]): boolean {
    assertCount(args, 'has');
    const entries = this.#entries;
    const wanted = textOf(args[0]);
    for (let at = 0; at < entries.length; at += 1) if (entries[at]![0] === wanted) return true;
    return false;
  }
  set(...args: unknown[]): void {
    const entries = this.#entries;
    assertCount(args, 'set');
    const entry = entryOf(args);
    const kept: FormEntry[] = [];
    let isThere = false;
    for (let at = 0; at < entries.length; at += 1) {
      const each = entries[at]!;
      if (each[0] !== entry[0]) arrayPush(kept, each);
      else if (!isThere) {
        arrayPush(kept, entry);
        isThere = true;
      }
    }
    if (!isThere) arrayPush(kept, entry);
    this.#entries = kept;
  }
}
definePairMethods(FormData, 'FormData', (form) => entriesOf(form));
webClass(FormData, 'FormData');

export const isForm = (value: unknown): value is FormData => isReal(value);
export const formEntries = (form: FormData): readonly FormEntry[] => entriesOf(form);
export function addEntry(form: FormData, name: string, value: FormValue): void {
  arrayPush(entriesOf(form), [name, value]);
}

const textOf = (value: unknown): string => stringWellFormed(`${value as string}`);

/** How many arguments each method needs; its `length`, as Web IDL says. */
const NEEDED = { append: 2, delete: 1, get: 1, getAll: 1, has: 1, set: 2 };
const METHODS = keys(NEEDED) as (keyof typeof NEEDED)[];
for (let at = 0; at < METHODS.length; at += 1) {
  const name = METHODS[at]!;
  const length = { __proto__: null, value: NEEDED[name], configurable: true } as PropertyDescriptor;
  defineProperty(FormData.prototype[name], 'length', length);
}

function assertCount(args: unknown[], method: keyof typeof NEEDED): void {
  const needed = NEEDED[method];
  if (args.length >= needed) return;
  throw new NativeTypeError(`FormData.${method} takes ${needed} argument${needed > 1 ? 's' : ''}, not ${args.length}`);
}

function without(entries: FormEntry[], name: string): FormEntry[] {
  const kept: FormEntry[] = [];
  for (let at = 0; at < entries.length; at += 1) if (entries[at]![0] !== name) arrayPush(kept, entries[at]!);
  return kept;
}

/** A blob becomes a file; only a blob may have a file name. */
function entryOf(args: unknown[]): FormEntry {
  const name = args[0];
  const value = args[1];
  const filename = args[2];
  const isNamed = args.length > 2;
  const key = textOf(name);
  if (!isBlob(value)) {
    if (isNamed) throw new NativeTypeError('Only a Blob has a file name');
    return [key, textOf(value)];
  }
  if (isFile(value) && !isNamed) return [key, value];
  const lastModified = isFile(value) ? value.lastModified : undefined;
  return [key, makeFile(blobBytes(value), isNamed ? textOf(filename) : 'blob', value.type, lastModified)];
}
