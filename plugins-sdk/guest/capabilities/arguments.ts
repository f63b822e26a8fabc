import { CapabilityError } from '../capability-error.ts';
import { capText } from '../describe-thrown.ts';
import { inspect } from '../inspect.ts';
import { isInteger, jsonStringify, NativeTypeError } from '../primordials.ts';

/** Of a text argument that has no limit of its own. */
const ARGUMENT_UNITS_MAX = 1_024;

/** Plugins see these classes through `ctx.kv.constructor`; with an invocation of their own they could write any record. */
export const BY_RUNTIME = {};
export function assertByRuntime(key: object): void {
  if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: capabilities come with the context');
}

export const denied = (capability: string): CapabilityError =>
  new CapabilityError('capability-denied', `The operator did not grant the capability "${capability}".`);

export const invalid = (message: string): CapabilityError =>
  new CapabilityError('capability-arguments-invalid', message);

/** JSON text; undefined for what JSON cannot write. */
export function jsonText(value: unknown, replace?: (key: string, value: unknown) => unknown): string | undefined {
  try {
    return jsonStringify(value, replace);
  } catch {
    return undefined;
  }
}

/** An optional field. Numbers that JSON cannot write become a refusal by the host's schema, not a silent null. */
export function field(name: string, value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && isInteger(value)) return `,"${name}":${jsonStringify(value)}`;
  if (typeof value === 'string') return `,"${name}":${textJson(name, value)}`;
  throw invalid(`${name} must be an integer, not ${capText(inspect(value), 100)}`);
}

export function textJson(name: string, value: unknown, unitsMax = ARGUMENT_UNITS_MAX): string {
  if (typeof value === 'string' && value.length <= unitsMax) return jsonStringify(value);
  throw invalid(`${name} must be a string of at most ${unitsMax} characters`);
}

/** A value as JSON text. */
export function valueText(name: string, value: unknown): string {
  const json = jsonText(value);
  if (json === undefined) throw invalid(`${name} cannot be written as JSON: ${capText(inspect(value), 100)}`);
  return json;
}
