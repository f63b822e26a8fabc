/**
 * Everything the guest runtime relies on, captured before plugin code runs: a plugin may replace any built-in, and the
 * runtime must still answer. Rules that follow from it inside this folder: methods of built-ins are called through here,
 * lists are read by index (iteration looks up `Symbol.iterator`), and JSON envelopes are put together from strings
 * (`toJSON` may have been planted on a prototype).
 */
const { bind, call } = Function.prototype;

type Uncurried = <Self, Args extends unknown[], Result>(
  method: (this: Self, ...args: Args) => Result,
) => (self: Self, ...args: Args) => Result;

/** `uncurryThis(method)(self, ...args)` is `self.method(...args)` without looking anything up. */
export const uncurryThis = bind.bind(call) as unknown as Uncurried;

export const global = globalThis as unknown as Record<PropertyKey, unknown>;

export const { parse: jsonParse, stringify: jsonStringify } = JSON;
export const { apply, construct, defineProperty, deleteProperty, ownKeys, getOwnPropertyDescriptor } = Reflect;
export const reflectGet = Reflect.get;
export const { create, freeze, getPrototypeOf, setPrototypeOf, hasOwn, keys, is } = Object;
export const { isArray } = Array;
export const { isInteger, isNaN: numberIsNaN } = Number;
export const { fromCharCode, fromCodePoint } = String;
export const { min, max, floor, trunc } = Math;
export const { isView } = ArrayBuffer;

export const NativeArrayBuffer = ArrayBuffer;
export const NativeDate = Date;
export const NativeError = Error;
export const NativePromise = Promise;
export const NativeDataView = DataView;
export const { iterator: symbolIterator, asyncIterator: symbolAsyncIterator, toStringTag: symbolToStringTag } = Symbol;
export const NativeRangeError = RangeError;
export const NativeTypeError = TypeError;
export const NativeUint8Array = Uint8Array;
export const NativeUint16Array = Uint16Array;
export const NativeUint32Array = Uint32Array;
export const NativeArray = Array;
export const NativeProxy = Proxy;
export const NativeString = String;
export const NativeNumber = Number;
export const NativeWeakMap = WeakMap;
export const objectPrototype = Object.prototype;
export const { captureStackTrace } = Error;

export const arrayJoin = uncurryThis(Array.prototype.join) as (list: readonly unknown[], by?: string) => string;
/**
 * Descriptors that inherit nothing, for a plugin may have planted `get` on Object.prototype. One for each kind, filled in again and
 * again: made anew they would be 300 bytes each, and all isolates hold what they threw away until they need the room.
 */
const openField = descriptorOf(true, true);
const hiddenField = descriptorOf(true, false);
const nameField = descriptorOf(false, false);
function descriptorOf(writable: boolean, enumerable: boolean): PropertyDescriptor {
  return { __proto__: null, value: undefined, writable, configurable: true, enumerable } as PropertyDescriptor;
}

function defineBy(descriptor: PropertyDescriptor, owner: object, name: PropertyKey, value: unknown): void {
  descriptor.value = value;
  defineProperty(owner, name, descriptor);
  descriptor.value = undefined;
}

/** Appends without `push`, which would call a setter that a plugin has planted at an index of Array.prototype. */
export function arrayPush<T>(list: T[], item: T): void {
  defineBy(openField, list, list.length, item);
}
export const arraySort = uncurryThis(Array.prototype.sort) as <T>(list: T[], compare: (a: T, b: T) => number) => T[];
export const charCodeAt = uncurryThis(String.prototype.charCodeAt);
export const stringIncludes = uncurryThis(String.prototype.includes);
export const stringIndexOf = uncurryThis(String.prototype.indexOf);
export const stringLastIndexOf = uncurryThis(String.prototype.lastIndexOf);
export const stringLower = uncurryThis(String.prototype.toLowerCase);
export const stringUpper = uncurryThis(String.prototype.toUpperCase);
export const stringPadStart = uncurryThis(String.prototype.padStart);
export const stringSlice = uncurryThis(String.prototype.slice) as (text: string, from?: number, to?: number) => string;
export const stringTrim = uncurryThis(String.prototype.trim);
export const stringWellFormed = uncurryThis(
  (String.prototype as unknown as { toWellFormed(this: string): string }).toWellFormed,
);
export const stringNormalize = uncurryThis(String.prototype.normalize) as (text: string, form: string) => string;
export const codePointAt = uncurryThis(String.prototype.codePointAt) as (text: string, at: number) => number;
export const numberToString = uncurryThis(Number.prototype.toString) as (value: number, radix?: number) => string;
export const symbolToString = uncurryThis(Symbol.prototype.toString);
export const regExpExec = uncurryThis(RegExp.prototype.exec);
export const dateToIso = uncurryThis(Date.prototype.toISOString);
export const dateGetTime = uncurryThis(Date.prototype.getTime);
export const regExpToString = uncurryThis(RegExp.prototype.toString);

const typedArray = getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const getterOf = <Result>(owner: object, name: PropertyKey) =>
  uncurryThis(getOwnPropertyDescriptor(owner, name)!.get as (this: unknown) => Result);
export const bytesSet = uncurryThis(typedArray.set) as (target: Uint8Array, source: Uint8Array, at?: number) => void;
export const typedArrayBuffer = getterOf<ArrayBuffer>(typedArray, 'buffer');
export const typedArrayOffset = getterOf<number>(typedArray, 'byteOffset');
export const typedArrayBytes = getterOf<number>(typedArray, 'byteLength');
export const typedArrayLength = getterOf<number>(typedArray, 'length');
/** The name of the kind, such as `Uint8Array`; undefined for everything that is not a typed array. */
export const typedArrayKind = getterOf<string | undefined>(typedArray, Symbol.toStringTag);
export const viewBuffer = getterOf<ArrayBuffer>(DataView.prototype, 'buffer');
export const viewOffset = getterOf<number>(DataView.prototype, 'byteOffset');
export const viewBytes = getterOf<number>(DataView.prototype, 'byteLength');
export const bufferBytes = getterOf<number>(ArrayBuffer.prototype, 'byteLength');
/** Takes the memory of a buffer away from it and into a new one. Throws for a buffer that has none any more. */
export const bufferTransfer = uncurryThis(
  (ArrayBuffer.prototype as unknown as { transfer(this: ArrayBuffer): ArrayBuffer }).transfer,
);
export const bufferDetached = getterOf<boolean>(ArrayBuffer.prototype, 'detached');
export const promiseThen = uncurryThis(Promise.prototype.then) as <Value, Then = Value, Else = never>(
  promise: Promise<Value>,
  fulfilled?: (value: Value) => Then | PromiseLike<Then>,
  rejected?: (reason: unknown) => Else | PromiseLike<Else>,
) => Promise<Then | Else>;
export const iteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()) as object) as object;
export const asyncIteratorPrototype = getPrototypeOf(
  getPrototypeOf(async function* plain() {}.prototype as object) as object,
) as object;
const typedArrayIndexOf = uncurryThis(typedArray.indexOf) as (bytes: Uint8Array, byte: number, from: number) => number;
export const bytesIndexOf = (bytes: Uint8Array, byte: number, from: number): number =>
  typedArrayIndexOf(bytes, byte, from);
export const weakMapGet = uncurryThis(WeakMap.prototype.get) as <Key extends WeakKey, Value>(
  map: WeakMap<Key, Value>,
  key: Key,
) => Value | undefined;
export const weakMapSet = uncurryThis(WeakMap.prototype.set) as <Key extends WeakKey, Value>(
  map: WeakMap<Key, Value>,
  key: Key,
  value: Value,
) => WeakMap<Key, Value>;
export const mapForEach = uncurryThis(Map.prototype.forEach);
export const setForEach = uncurryThis(Set.prototype.forEach);
export const mapSize = getterOf<number>(Map.prototype, 'size');
export const setSize = getterOf<number>(Set.prototype, 'size');

/** Part of `bytes` without copying; unlike `subarray` it asks no species. */
export const viewOfBytes = (bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> =>
  new NativeUint8Array(typedArrayBuffer(bytes), typedArrayOffset(bytes) + from, to - from);

export function copyOfBytes(bytes: Uint8Array, from = 0, to = typedArrayLength(bytes)): Uint8Array<ArrayBuffer> {
  const copy = new NativeUint8Array(to - from);
  bytesSet(copy, viewOfBytes(bytes, from, to));
  return copy;
}

function copyMethods(from: object, to: object): void {
  const names = ownKeys(from);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    if (name !== 'constructor') defineProperty(to, name, getOwnPropertyDescriptor(from, name)!);
  }
}

/** A Map with methods of its own, which no plugin can reach. */
export class SafeMap<Key, Value> extends Map<Key, Value> {}
copyMethods(Map.prototype, SafeMap.prototype);
setPrototypeOf(SafeMap.prototype, null);
freeze(SafeMap.prototype);

/** A Set with methods of its own, which no plugin can reach. */
export class SafeSet<Item> extends Set<Item> {}
copyMethods(Set.prototype, SafeSet.prototype);
setPrototypeOf(SafeSet.prototype, null);
freeze(SafeSet.prototype);

/** Whether `read` works for `value`: brand checks of built-ins throw for everything else, proxies included. */
export function isBranded(read: (value: never) => unknown, value: unknown): boolean {
  try {
    read(value as never);
    return true;
  } catch {
    return false;
  }
}

/** Defines a property as methods are. */
export function defineHidden(owner: object, name: PropertyKey, value: unknown): void {
  defineBy(hiddenField, owner, name, value);
}

/** Defines a property as methods of a Web IDL interface are. */
export function defineOpen(owner: object, name: PropertyKey, value: unknown): void {
  defineBy(openField, owner, name, value);
}

/** Gives a function or class the name that plugins see; the build shortens all others. */
export function nameFunction(value: object, name: string): void {
  defineBy(nameField, value, 'name', name);
}

/** Defines a global as engines do: writable, configurable, not enumerable. */
export function defineGlobal(name: string, value: unknown): void {
  defineHidden(global, name, value);
}

const lazyField = { __proto__: null, get: undefined, set: undefined, configurable: true, enumerable: false };

/** Defines a global that `make` gives when it is first read, so that isolates that never use it stay small. */
export function defineLazyGlobal(name: string, make: (name: string) => unknown): void {
  const field = lazyField as PropertyDescriptor;
  field.get = () => {
    const value = make(name);
    defineGlobal(name, value);
    return value;
  };
  field.set = (value) => defineGlobal(name, value);
  defineProperty(global, name, field);
}
