import type { Json, WireRequest } from '../../../plugins-sdk/contract/index.ts';
import { REDACTION_NOTE, type Recording } from '../../../plugins-sdk/contract/recording.ts';

/** What must not be stored as it is. */
export interface RedactionPlan {
  /** `personal` of the manifest. */
  personal: readonly string[];
  /** Values of secrets, which may stand anywhere. */
  secrets: readonly string[];
}

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
const SENSITIVE_NAME =
  /(?:passwords?|passwd|passphrase|secrets?|tokens?|api[-_ ]?keys?|authorization|cookies?|credentials?|private[-_ ]?keys?)$/i;

/** How the places of one kind are called in the recording. */
type Place = string;

/**
 * The recording with placeholders for what must not be stored: personal values, secrets, and whatever is named like a
 * credential. One value has one placeholder wherever it stands, so that a replay that hands it on still hands on the same;
 * an e-mail address stays one. Null where there is too much to replace. Pure; never throws on what a plugin or caller wrote.
 */
export function redactRecording(recording: Recording, plan: RedactionPlan): Recording | null {
  const masks = new Masks();
  const texts = textsOf(recording);
  for (const secret of plan.secrets) {
    const forms = formsOf(secret);
    if (texts.some((text) => forms.some((form) => text.includes(form)))) masks.add(secret, 'secret', '(secrets)');
  }
  const pointers = plan.personal.map(splitPointer);
  const input = redactInput(recording.invocation.input, pointers, masks);
  const calls = recording.calls.map(({ name, args, result }) => ({
    name,
    args,
    result: result && { ...result, json: redactResult(name, result.json, pointers, masks) },
  }));
  if (masks.areTooMany()) return null;
  if (masks.places.size === 0) return recording;
  const mask = masks.everywhere();
  const { outcome } = recording;
  return {
    ...recording,
    invocation: { ...recording.invocation, input: mask(input) },
    calls: calls.map(({ name, args, result }) => ({
      name,
      args: mask(args),
      result: result && { ...result, json: mask(result.json) },
    })),
    logs: recording.logs.map((line) => ({ ...line, json: mask(line.json) })),
    outcome:
      outcome.status === 'completed'
        ? { ...outcome, output: mask(outcome.output) }
        : { ...outcome, fault: maskFault(outcome.fault, mask) },
    redacted: { values: masks.count, places: [...masks.places], note: REDACTION_NOTE },
  };
}

type Fault = Extract<Recording['outcome'], { status: 'faulted' }>['fault'];

function maskFault(fault: Fault, mask: (text: string) => string): Fault {
  const masked = { ...fault, message: mask(fault.message) };
  if (fault.stack !== undefined) masked.stack = mask(fault.stack);
  return masked;
}

/** `/body/buyer/email` as its members. */
const splitPointer = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));

function redactInput(json: string, pointers: string[][], masks: Masks): string {
  const input = parse(json) as { [name: string]: Json } | undefined;
  if (input === undefined) return json;
  const context = input.context as { config?: Json } | undefined;
  const below = (root: string) => pointers.filter(([first]) => first === root).map(([, ...rest]) => rest);
  if (context?.config) context.config = masks.within(context.config, below('config'), '/config');
  if (input.params) input.params = masks.within(input.params, below('params'), '/params');
  const event = input.event as { payload?: Json } | undefined;
  if (event?.payload) event.payload = masks.within(event.payload, below('payload'), '/payload');
  const request = input.request as unknown as WireRequest | undefined;
  if (request) redactRequest(request, below, masks);
  return JSON.stringify(input);
}

function redactRequest(request: WireRequest, below: (root: string) => string[][], masks: Masks): void {
  const named = below('headers').map(([name = '*']) => name.toLowerCase());
  request.headers = request.headers.map(([name, value]) => {
    const personal = named.includes(name) || named.includes('*');
    if (!personal && !SENSITIVE_NAME.test(name)) return [name, value];
    return [name, masks.header(value, personal ? 'personal' : 'secret', `/headers/${name}`)];
  });
  request.url = redactQuery(request.url, below('query'), masks);
  const pointers = below('body');
  const { body } = request;
  if (body === null) return;
  const type = request.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (/^application\/x-www-form-urlencoded/i.test(type)) {
    request.body = redactForm(body, pointers, masks, '/body');
    return;
  }
  const parsed = request.bodyEncoding === 'utf8' ? parse(body) : undefined;
  if (parsed !== undefined && typeof parsed === 'object') {
    const before = masks.changes;
    const redacted = masks.within(parsed, pointers, '/body');
    // Where nothing was replaced, the caller's own spelling stays.
    if (masks.changes !== before) request.body = JSON.stringify(redacted);
  } else if (pointers.length > 0) {
    // Something in there is personal, and nobody knows where.
    request.body = masks.add(body, 'personal', '/body');
    request.bodyEncoding = 'utf8';
  }
}

function redactQuery(url: string, pointers: string[][], masks: Masks): string {
  const at = url.indexOf('?');
  return at < 0 ? url : `${url.slice(0, at)}?${redactForm(url.slice(at + 1), pointers, masks, '/query')}`;
}

/** `a=1&b=2`, of which only the values that are replaced are written anew. */
function redactForm(text: string, pointers: string[][], masks: Masks, place: Place): string {
  const named = pointers.map(([name = '*']) => name);
  return text
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) return pair;
      const [name] = [...new URLSearchParams(`${pair.slice(0, at)}=`).keys()];
      const [value] = [...new URLSearchParams(`v=${pair.slice(at + 1)}`).values()];
      const personal = named.includes(name!) || named.includes('*');
      if (!personal && !SENSITIVE_NAME.test(name!)) return pair;
      const placeholder = masks.add(value!, personal ? 'personal' : 'secret', `${place}/${name}`);
      return `${pair.slice(0, at)}=${encodeURIComponent(placeholder)}`;
    })
    .join('&');
}

function redactResult(call: string, json: string, pointers: string[][], masks: Masks): string {
  const mine = pointers.filter(([root, name]) => root === 'results' && name === call).map(([, , ...rest]) => rest);
  const result = parse(json);
  if (result === undefined || result === null || typeof result !== 'object') return json;
  const before = masks.changes;
  const redacted = masks.within(result, mine, `/results/${call}`);
  return masks.changes === before ? json : JSON.stringify(redacted);
}

function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

type Kind = 'personal' | 'secret';

/** Placeholders by value. */
class Masks {
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
    const scheme = /^(Bearer|Basic|Digest) +(.+)$/i.exec(value);
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
      return value.map((each, at) => this.within(each, rests(String(at)), `${place}/${at}`));
    }
    const entries = Object.entries(value).map(([name, member]) => {
      const here = `${place}/${name}`;
      const sensitive = SENSITIVE_NAME.test(name) && typeof member === 'string';
      return [name, sensitive ? this.add(member, 'secret', here) : this.within(member, rests(name), here)];
    });
    return Object.fromEntries(entries) as Json;
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

  /** Replaces every value in a JSON text: in strings and JSON inside of them, in addresses, and in names that are no words. */
  everywhere(): (json: string) => string {
    const written = new Map<string, string>();
    for (const [value, placeholder] of this.#placeholders) {
      for (const form of formsOf(value)) {
        if (!written.has(form)) written.set(form, placeholder);
      }
    }
    if (written.size === 0) return (json) => json;
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
    return (json) => {
      if (json.search(any) < 0 && !long.some((form) => json.includes(form))) return json;
      const parsed = parse(json);
      return parsed === undefined ? inText(json) : JSON.stringify(replaceIn(parsed, inText, 0));
    };
  }
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

function replaceIn(value: Json, inText: (text: string) => string, depth: number): Json {
  if (typeof value === 'string') return inText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each) => replaceIn(each, inText, depth + 1));
  const entries = Object.entries(value).map(([name, member]) => {
    if (depth < FIXED_DEPTH && FIXED.has(name)) return [name, member];
    return [WORD.test(name) ? name : inText(name), replaceIn(member, inText, depth + 1)];
  });
  return Object.fromEntries(entries) as Json;
}

const textsOf = ({ invocation, calls, logs, outcome }: Recording): string[] => [
  invocation.input,
  ...calls.flatMap(({ args, result }) => [args, result?.json ?? '']),
  ...logs.map(({ json }) => json),
  outcome.status === 'completed' ? outcome.output : `${outcome.fault.message}${outcome.fault.stack ?? ''}`,
];

/** How a value is written: plainly, in JSON, in JSON inside JSON, in an address, in a form. */
function formsOf(value: string): string[] {
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
