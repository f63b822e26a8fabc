import {
  apply,
  isView,
  NativeRangeError,
  NativeTypeError,
  nameFunction,
  trunc,
  typedArrayBytes,
  typedArrayKind,
  viewBytes,
} from '../primordials.ts';
import { webClass } from '../web-class.ts';

export type SizeOf = (chunk: unknown) => number;
export interface Strategy {
  highWaterMark: unknown;
  size: SizeOf | undefined;
}

/** False for NaN too. */
export const isNotNegative = (value: number): boolean => typeof value === 'number' && value >= 0;

export const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** An options argument: nothing, null or an object. */
export function optionsOf(value: unknown, what: string): Record<PropertyKey, unknown> | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw new NativeTypeError(`${what} must be an object`);
  return value;
}

/** A function that a plugin may leave out. */
export function methodOf(owner: Record<PropertyKey, unknown> | null, name: string): Method | undefined {
  const method = owner === null ? undefined : owner[name];
  if (method === undefined) return undefined;
  if (typeof method !== 'function') throw new NativeTypeError(`${name} must be a function`);
  return method as Method;
}
export type Method = (...args: unknown[]) => unknown;

export function strategyOf(value: unknown): Strategy {
  const options = optionsOf(value, 'A queuing strategy');
  const given = options === null ? undefined : options.highWaterMark;
  const highWaterMark = given === undefined ? undefined : +(given as number);
  const size = methodOf(options, 'size');
  return { highWaterMark, size: size && ((chunk) => +(apply(size, undefined, [chunk]) as number)) };
}

export function highWaterMarkOf({ highWaterMark }: Strategy, otherwise: number): number {
  if (highWaterMark === undefined) return otherwise;
  if (!isNotNegative(highWaterMark as number)) throw new NativeRangeError('highWaterMark must be a number from 0 on');
  return highWaterMark as number;
}

export const sizeOfOne: SizeOf = () => 1;

function requiredMark(value: unknown): number {
  const options = optionsOf(value, 'The argument');
  const mark = options === null ? undefined : options.highWaterMark;
  if (mark === undefined) throw new NativeTypeError('highWaterMark is missing');
  return +(mark as number);
}

const byteLengthOf = {
  size: (chunk: unknown): unknown => {
    if (isView(chunk))
      return typedArrayKind(chunk as unknown) === undefined ? viewBytes(chunk) : typedArrayBytes(chunk);
    return (chunk as { byteLength: unknown }).byteLength;
  },
}.size;
const one = { size: () => 1 }.size;
nameFunction(byteLengthOf, 'size');
nameFunction(one, 'size');

export class ByteLengthQueuingStrategy {
  readonly #highWaterMark: number;
  constructor(options: unknown) {
    this.#highWaterMark = requiredMark(options);
  }
  get highWaterMark(): number {
    return this.#highWaterMark;
  }
  get size(): typeof byteLengthOf {
    void this.#highWaterMark;
    return byteLengthOf;
  }
}
webClass(ByteLengthQueuingStrategy, 'ByteLengthQueuingStrategy');

export class CountQueuingStrategy {
  readonly #highWaterMark: number;
  constructor(options: unknown) {
    this.#highWaterMark = requiredMark(options);
  }
  get highWaterMark(): number {
    return this.#highWaterMark;
  }
  get size(): typeof one {
    void this.#highWaterMark;
    return one;
  }
}
webClass(CountQueuingStrategy, 'CountQueuingStrategy');

/** Web IDL's `[EnforceRange] unsigned long long`. */
export function enforceRange(value: unknown, what: string): number {
  const whole = trunc(+(value as number));
  if (!(whole >= 0 && whole <= SAFE_MAX)) throw new NativeTypeError(`${what} must be an integer from 0 on`);
  return whole + 0;
}
const SAFE_MAX = 2 ** 53 - 1;
