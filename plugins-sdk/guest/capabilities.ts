import type { Kv as KvContract, Log as LogContract, LogLevel } from '../contract/capabilities.ts';
import { CapabilityError } from './capability-error.ts';
import { capText } from './describe-thrown.ts';
import { inspect } from './inspect.ts';
import { callHost, type Invocation } from './invocation.ts';
import { writeLog } from './logging.ts';
import { charCodeAt, isArray, isInteger, jsonStringify, NativeTypeError } from './primordials.ts';
import { freezeClass } from './removals.ts';
import { utf8LengthOver } from './utf8.ts';

/** Both come from the contract when the guest is built; see build-guest.ts. */
declare const KV_VALUE_BYTES_MAX: number;
declare const KV_KEY_UNITS_MAX: number;

const ARGUMENT_UNITS_MAX = 1_024;

/** Plugins see these classes through `ctx.kv.constructor`; with an invocation of their own they could write any record. */
const BY_RUNTIME = {};
function assertByRuntime(key: object): void {
  if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: capabilities come with the context');
}

/**
 * The capability `kv` of one invocation. Grants, sizes and types are checked here so that a refusal costs no call and
 * no oversized text leaves the isolate; the host checks all of it again.
 */
class Kv implements KvContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  get(key: string): Promise<never> {
    return this.#call('kv.get', () => `{"key":${keyJson(key)}}`);
  }

  set(key: string, value: unknown, options: { ttlSeconds?: number; ifVersion?: number } = {}): Promise<never> {
    return this.#call('kv.set', () => {
      const { ttlSeconds, ifVersion } = options ?? {};
      const fields = `"key":${keyJson(key)},"value":${valueJson(value)}`;
      return `{${fields}${field('ttlSeconds', ttlSeconds)}${field('ifVersion', ifVersion)}}`;
    });
  }

  delete(key: string, options: { ifVersion?: number } = {}): Promise<never> {
    return this.#call('kv.delete', () => `{"key":${keyJson(key)}${field('ifVersion', options?.ifVersion)}}`);
  }

  list(options: { prefix?: string; cursor?: string; limit?: number } = {}): Promise<never> {
    return this.#call('kv.list', () => {
      const { prefix = '', cursor, limit } = options ?? {};
      return `{"prefix":${textJson('prefix', prefix)}${field('cursor', cursor ?? undefined)}${field('limit', limit)}}`;
    });
  }

  increment(key: string, by = 1): Promise<never> {
    return this.#call('kv.increment', () => `{"key":${keyJson(key)}${field('by', by)}}`);
  }

  /** Async, so that every refusal is a rejection and never a throw. */
  async #call(name: string, args: () => string): Promise<never> {
    if (!this.#granted) throw denied('kv');
    return (await callHost(this.#invocation, name, args())) as never;
  }
}

/** The capability `log` of one invocation. */
class Log implements LogContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
  }

  debug(message: string, facts?: unknown): void {
    this.#write('debug', message, facts);
  }
  info(message: string, facts?: unknown): void {
    this.#write('info', message, facts);
  }
  warn(message: string, facts?: unknown): void {
    this.#write('warn', message, facts);
  }
  error(message: string, facts?: unknown): void {
    this.#write('error', message, facts);
  }

  #write(level: LogLevel, message: unknown, facts: unknown): void {
    if (!this.#granted) throw denied('log');
    writeLog(
      this.#invocation,
      'log',
      level,
      typeof message === 'string' ? message : inspect(message),
      factsJson(facts),
    );
  }
}

freezeClass(Kv, 'Kv');
freezeClass(Log, 'Log');

export const kvOf = (invocation: Invocation, granted: boolean): Kv => new Kv(BY_RUNTIME, invocation, granted);
export const logOf = (invocation: Invocation, granted: boolean): Log => new Log(BY_RUNTIME, invocation, granted);

const denied = (capability: string): CapabilityError =>
  new CapabilityError('capability-denied', `The operator did not grant the capability "${capability}".`);

const invalid = (message: string): CapabilityError => new CapabilityError('capability-arguments-invalid', message);

function keyJson(key: unknown): string {
  if (typeof key !== 'string' || key === '' || key.length > KV_KEY_UNITS_MAX) {
    throw invalid(`A key is a string of 1 to ${KV_KEY_UNITS_MAX} characters, not ${capText(inspect(key), 100)}`);
  }
  return jsonStringify(key);
}

function valueJson(value: unknown): string {
  const json = jsonText(value);
  if (json === undefined) throw invalid(`The value cannot be written as JSON: ${capText(inspect(value), 100)}`);
  const bytes = utf8LengthOver(json, KV_VALUE_BYTES_MAX);
  if (bytes <= KV_VALUE_BYTES_MAX) return json;
  const message = `The value has ${bytes} bytes of JSON; one entry may have ${KV_VALUE_BYTES_MAX}.`;
  throw new CapabilityError('kv-value-too-large', message);
}

/** JSON text; undefined for what JSON cannot write. */
function jsonText(value: unknown): string | undefined {
  try {
    return jsonStringify(value);
  } catch {
    return undefined;
  }
}

/** An optional field. Numbers that JSON cannot write become a refusal by the host's schema, not a silent null. */
function field(name: string, value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && isInteger(value)) return `,"${name}":${jsonStringify(value)}`;
  if (typeof value === 'string') return `,"${name}":${textJson(name, value)}`;
  throw invalid(`${name} must be an integer, not ${capText(inspect(value), 100)}`);
}

function textJson(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= ARGUMENT_UNITS_MAX) return jsonStringify(value);
  throw invalid(`${name} must be a string of at most ${ARGUMENT_UNITS_MAX} characters`);
}

/** Facts are an object of JSON values; anything else is shown as text, because logging must not fail. */
function factsJson(facts: unknown): string {
  if (facts === undefined || facts === null) return '';
  const json = typeof facts === 'object' && !isArray(facts) ? jsonText(facts) : undefined;
  return json === undefined || nestsDeeper(json, FACTS_DEPTH_MAX) ? `{"facts":${jsonStringify(inspect(facts))}}` : json;
}

/** Databases give up on JSON that is nested some ten thousand levels deep, and nobody reads that. */
const FACTS_DEPTH_MAX = 32;
const [QUOTE, BACKSLASH] = [34, 92];

function nestsDeeper(json: string, depthMax: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const unit = charCodeAt(json, at);
    if (quoted) {
      if (unit === BACKSLASH) at += 1;
      else if (unit === QUOTE) quoted = false;
    } else if (unit === QUOTE) quoted = true;
    else if (unit === 91 || unit === 123) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (unit === 93 || unit === 125) depth -= 1;
  }
  return false;
}
