import type { Kv as KvContract, KvOperation } from '../../contract/capabilities/kv.ts';
import {
  KV_KEY_UNITS_MAX,
  KV_KEYS_MAX,
  KV_OPERATIONS_MAX,
  KV_VALUE_BYTES_MAX,
} from '../../contract/capabilities/sizes.ts';
import { CapabilityError } from '../capability-error.ts';
import { capText } from '../describe-thrown.ts';
import { inspect } from '../inspect.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { isArray, jsonStringify } from '../primordials.ts';
import { freezeClass } from '../removals.ts';
import { utf8LengthOver } from '../utf8.ts';
import { assertByRuntime, BY_RUNTIME, denied, field, invalid, textJson, valueText } from './arguments.ts';

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

  getMany(keys: readonly string[]): Promise<never> {
    return this.#call('kv.getMany', () => {
      const count = lengthOf(keys, 'keys', KV_KEYS_MAX);
      let list = '';
      for (let at = 0; at < count; at += 1) list += `${at > 0 ? ',' : ''}${keyJson(keys[at])}`;
      return `{"keys":[${list}]}`;
    });
  }

  transaction(operations: readonly KvOperation[]): Promise<never> {
    return this.#call('kv.transaction', () => {
      const count = lengthOf(operations, 'operations', KV_OPERATIONS_MAX);
      let list = '';
      for (let at = 0; at < count; at += 1) list += `${at > 0 ? ',' : ''}${operationJson(operations[at])}`;
      return `{"operations":[${list}]}`;
    });
  }

  /** Async, so that every refusal is a rejection and never a throw. */
  async #call(name: string, args: () => string): Promise<never> {
    if (!this.#granted) throw denied('kv');
    return (await callHost(this.#invocation, name, args())) as never;
  }
}

freezeClass(Kv, 'Kv');

export const kvOf = (invocation: Invocation, granted: boolean): Kv => new Kv(BY_RUNTIME, invocation, granted);

function keyJson(key: unknown): string {
  if (typeof key !== 'string' || key === '' || key.length > KV_KEY_UNITS_MAX) {
    throw invalid(`A key is a string of 1 to ${KV_KEY_UNITS_MAX} characters, not ${capText(inspect(key), 100)}`);
  }
  return jsonStringify(key);
}

function valueJson(value: unknown): string {
  const json = valueText('The value', value);
  const bytes = utf8LengthOver(json, KV_VALUE_BYTES_MAX);
  if (bytes <= KV_VALUE_BYTES_MAX) return json;
  const message = `The value has ${bytes} bytes of JSON; one entry may have ${KV_VALUE_BYTES_MAX}.`;
  throw new CapabilityError('kv-value-too-large', message);
}

function lengthOf(list: unknown, name: string, countMax: number): number {
  if (isArray(list) && list.length <= countMax) return list.length;
  throw invalid(`${name} must be a list of at most ${countMax}`);
}

/** Every field is read once: a getter could answer otherwise the second time. */
function operationJson(operation: unknown): string {
  if (typeof operation === 'object' && operation !== null) {
    const fields = operation as Record<string, unknown>;
    const { check, set, increment } = fields;
    if (check !== undefined) return `{"check":${keyJson(check)}${field('version', fields.version)}}`;
    if (set !== undefined) {
      return `{"set":${keyJson(set)},"value":${valueJson(fields.value)}${field('ttlSeconds', fields.ttlSeconds)}}`;
    }
    if (increment !== undefined) return `{"increment":${keyJson(increment)}${field('by', fields.by)}}`;
    if (fields.delete !== undefined) return `{"delete":${keyJson(fields.delete)}}`;
  }
  throw invalid('An operation is one of { check, version }, { set, value }, { delete } and { increment }.');
}
