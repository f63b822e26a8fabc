import type { Json } from '../../../plugins-sdk/contract/index.ts';

/** More values than these to look for everywhere would keep the host from its work; the recording is dropped. */
export const REDACTED_VALUES_MAX = 300;
/** Longer ones are looked for one by one, so there may be few of them; an expression of all others must not grow too large. */
const LONG_UNITS_MIN = 256;
const LONG_VALUES_MAX = 10;
/** Of all the others together. */
const SHORT_UNITS_MAX = 32 * 1024;
const LONG_FORM_UNITS_MIN = 3 * LONG_UNITS_MIN;

/** Shorter texts stand in too many places that do not mean them; they are replaced where they were named, and there alone. */
const EVERYWHERE_UNITS_MIN = 4;

/** Members whose name says that nobody else may read them: in requests, configurations and results of host calls. */
export const SENSITIVE_NAME =
  /(?:passwords?|passwd|passphrase|secrets?|tokens?|api[-_ ]?keys?|authorization|cookies?|credentials?|private[-_ ]?keys?)$/i;

/** Undefined where it is no JSON. */
export function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

const isTexts = (value: Json): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string');

type Kind = 'personal' | 'secret';
/** How the places of one kind are called in the recording. */
type Place = string;

/** Replaces known values. */
export interface Replace {
  /** In strings of a JSON text and JSON inside of them, in addresses, in bytes as base64, and in names that are no words. */
  json(json: string): string;
  /** In bytes, as base64. */
  bytes(base64: string): string;
  /** Whether a text holds any of them. */
  finds(text: string): boolean;
}

/** Placeholders by value. */
export class Masks {
  readonly places = new Set<Place>();
  /** Leaves that were replaced. */
  changes = 0;
  readonly #placeholders = new Map<string, string>();
  #others = 0;

  areTooMany(): boolean {
    const values = [...this.#placeholders.keys()];
    const short = values.filter(({ length }) => length < LONG_UNITS_MIN);
    const units = short.reduce((sum, { length }) => sum + length, 0);
    const long = values.length - short.length;
    return values.length > REDACTED_VALUES_MAX || long > LONG_VALUES_MAX || units > SHORT_UNITS_MAX;
  }

  get count(): number {
    return Math.max(1, this.#placeholders.size + this.#others);
  }

  /** The placeholder of a text, new or known. */
  add(value: string, kind: Kind, place: Place): string {
    if (value === '') return value;
    this.places.add(place);
    this.changes += 1;
    const known = this.#placeholders.get(value);
    if (known !== undefined) return known;
    const number = this.#placeholders.size + this.#others + 1;
    const placeholder = `${kind}-${number}${/^[^@\s]+@[^@\s]+$/.test(value) ? '@redacted.invalid' : ''}`;
    if (value.length >= EVERYWHERE_UNITS_MIN) this.#placeholders.set(value, placeholder);
    else this.#others += 1;
    return placeholder;
  }

  /** A header keeps its form: the scheme of credentials, the names of cookies. */
  header(value: string, kind: Kind, place: Place): string {
    // What follows the blanks begins with none: else a value of blanks alone takes time by the square of its length.
    const scheme = /^(Bearer|Basic|Digest) +(\S.*)$/is.exec(value);
    if (scheme) return `${scheme[1]} ${this.add(scheme[2]!, kind, place)}`;
    if (!/cookie$/i.test(place)) return this.add(value, kind, place);
    return value.replace(/=([^;]+)/g, (_all, each: string) => `=${this.add(each, kind, place)}`);
  }

  /** A value with every leaf replaced that a pointer names, or a name that speaks for itself. */
  within(value: Json, pointers: string[][], place: Place): Json {
    if (pointers.some(({ length }) => length === 0)) return this.#all(value, 'personal', place);
    if (value === null || typeof value !== 'object') return value;
    const rests = (name: string) =>
      pointers.filter(([first]) => first === name || first === '*').map(([, ...rest]) => rest);
    if (Array.isArray(value)) {
      const [name, member] = value;
      // A header, as requests and answers list them.
      if (value.length === 2 && typeof name === 'string' && typeof member === 'string' && SENSITIVE_NAME.test(name)) {
        return [name, this.header(member, 'secret', `${place}/${name}`)];
      }
      return value.map((each, at) => this.within(each, rests(String(at)), `${place}/${at}`));
    }
    const entries = Object.entries(value).map(([name, member]) => {
      const here = `${place}/${name}`;
      const sensitive = SENSITIVE_NAME.test(name) && typeof member === 'string';
      if (sensitive) return [name, this.add(member, 'secret', here)];
      if (SENSITIVE_NAME.test(name) && isTexts(member)) {
        return [name, member.map((each) => this.add(each, 'secret', here))];
      }
      const isBody = name === 'body' && typeof member === 'string' && value.bodyEncoding === 'utf8';
      return [name, isBody ? this.body(member, rests(name), here) : this.within(member, rests(name), here)];
    });
    return Object.fromEntries(entries) as Json;
  }

  /** A body that may be JSON. Where something in it is personal and nobody knows where, all of it is replaced. */
  body(text: string, pointers: string[][], place: Place): string {
    const parsed = parse(text);
    if (parsed === undefined || typeof parsed !== 'object') {
      return pointers.length === 0 ? text : this.add(text, 'personal', place);
    }
    const before = this.changes;
    const redacted = this.within(parsed, pointers, place);
    // Where nothing was replaced, the sender's own spelling stays.
    return this.changes === before ? text : JSON.stringify(redacted);
  }

  #all(value: Json, kind: Kind, place: Place): Json {
    if (typeof value === 'string') return this.add(value, kind, place);
    if (value === null) return null;
    if (Array.isArray(value)) return value.map((each) => this.#all(each, kind, place));
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.#all(member, kind, place)]));
    }
    this.places.add(place);
    this.changes += 1;
    this.#others += 1;
    return typeof value === 'number' ? 0 : false;
  }

  everywhere(): Replace {
    const written = new Map<string, string>();
    for (const [value, placeholder] of this.#placeholders) {
      for (const form of formsOf(value)) {
        if (!written.has(form)) written.set(form, placeholder);
      }
    }
    // The longest first: one value may be part of another.
    const forms = [...written.keys()].sort((one, other) => other.length - one.length);
    const short = forms.filter((form) => form.length < LONG_FORM_UNITS_MIN);
    const long = forms.slice(0, forms.length - short.length);
    const any = new RegExp(short.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|') || '(?!)', 'g');
    const inText = (text: string) => {
      let rest = text;
      for (const form of long) rest = rest.replaceAll(form, () => written.get(form)!);
      return rest.replace(any, (form) => written.get(form)!);
    };
    const finds = (text: string) => text.search(any) >= 0 || long.some((form) => text.includes(form));
    const bytes = (base64: string) => {
      const text = Buffer.from(base64, 'base64').toString();
      return finds(text) ? Buffer.from(inText(text)).toString('base64') : base64;
    };
    const json = (whole: string) => {
      if (!finds(whole) && !BYTES.test(whole)) return whole;
      const parsed = parse(whole);
      if (parsed === undefined) return inText(whole);
      const replaced = JSON.stringify(replaceIn(parsed, { inText, bytes }, 0));
      return replaced === JSON.stringify(parsed) ? whole : replaced;
    };
    return { json, bytes, finds };
  }
}

/** Bytes travel as base64 under these names. */
const BYTES = /"bodyEncoding":"base64"|"(?:piece|bytes|input|output)":"/;
const BYTES_NAMES = new Set(['piece', 'bytes', 'input', 'output']);
interface Replacers {
  inText: (text: string) => string;
  bytes: (base64: string) => string;
}

/** Words of the contract: a caller who is named like one must not make the recording unreadable. */
const FIXED = new Set([
  'kind',
  'route',
  'method',
  'bodyEncoding',
  'invocationId',
  'installation',
  'operator',
  'grants',
]);
const FIXED_DEPTH = 2;
const WORD = /^[A-Za-z_]\w*$/;

function replaceIn(value: Json, replace: Replacers, depth: number): Json {
  if (typeof value === 'string') return replace.inText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each) => replaceIn(each, replace, depth + 1));
  const entries = Object.entries(value).map(([name, member]) => {
    if (depth < FIXED_DEPTH && FIXED.has(name)) return [name, member];
    const isBytes = BYTES_NAMES.has(name) || (name === 'body' && value.bodyEncoding === 'base64');
    const renewed = isBytes && typeof member === 'string' ? replace.bytes(member) : member;
    if (renewed !== member) return [name, renewed];
    return [WORD.test(name) ? name : replace.inText(name), replaceIn(member, replace, depth + 1)];
  });
  return Object.fromEntries(entries) as Json;
}

/** How a value is written: plainly, in JSON, in JSON inside JSON, in an address, in a form. */
export function formsOf(value: string): string[] {
  if (value === '') return [];
  const once = JSON.stringify(value).slice(1, -1);
  const encoded = encodeSafely(value);
  return [value, once, JSON.stringify(once).slice(1, -1), encoded, encoded.replace(/%20/g, '+')];
}

/** A lone surrogate cannot be part of an address. */
function encodeSafely(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}
