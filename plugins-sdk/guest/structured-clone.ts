import { DOMException } from './dom-exception.ts';
import { partIfMade } from './parts.ts';
import {
  apply,
  arrayPush,
  asyncIteratorPrototype,
  bufferBytes,
  bufferDetached,
  bufferTransfer,
  bytesSet,
  dateGetTime,
  defineHidden,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  global,
  isArray,
  isBranded,
  isView,
  iteratorPrototype,
  keys,
  mapForEach,
  mapSize,
  NativeArray,
  NativeArrayBuffer,
  NativeDataView,
  NativeDate,
  NativeError,
  NativeString,
  NativeTypeError,
  NativeUint8Array,
  objectPrototype,
  ownKeys,
  SafeMap,
  setForEach,
  setSize,
  symbolIterator,
  typedArrayBuffer,
  typedArrayKind,
  typedArrayLength,
  typedArrayOffset,
  uncurryThis,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';
import { TYPED_ARRAYS } from './typed-arrays.ts';
import { platformPrototypes } from './web-class.ts';

type Copies = SafeMap<object, object>;
const { Map: NativeMap, Set: NativeSet, RegExp: NativeRegExp, Object: NativeObject } = globalThis;
const ERRORS: Record<string, ErrorConstructor> = {
  __proto__: null as never,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Iterators and these of the language keep nothing in fields either; those of Temporal are told when it is made. */
const KINDS = ['Promise', 'WeakMap', 'WeakSet', 'DisposableStack', 'AsyncDisposableStack'];

function refuseAll(owner: Record<PropertyKey, unknown>, names: PropertyKey[]): void {
  for (let at = 0; at < names.length; at += 1) {
    const Kind = owner[names[at]!];
    if (typeof Kind === 'function' && typeof Kind.prototype === 'object') platformPrototypes.add(Kind.prototype);
  }
}
refuseAll(global, KINDS);
refuseAll(Intl as unknown as Record<PropertyKey, unknown>, ownKeys(Intl));
platformPrototypes.add(iteratorPrototype);
platformPrototypes.add(asyncIteratorPrototype);

/**
 * HTML's structured clone for values in memory: primitives and their objects, plain objects, arrays, Map, Set, Date, RegExp, buffers and
 * views, errors, Blob and File; cycles are kept. Buffers can be transferred. Everything else is refused with DataCloneError.
 */
export function structuredClone(value: unknown, options: { transfer?: Iterable<object> } = {}): unknown {
  // biome-ignore lint/complexity/noArguments: `undefined` may be cloned, but must be given.
  if (arguments.length === 0) throw new NativeTypeError('structuredClone takes 1 argument');
  const copies: Copies = new SafeMap();
  const buffers = options?.transfer === undefined ? [] : transferList(options.transfer, copies);
  const copy = clone(value, copies);
  for (let at = 0; at < buffers.length; at += 1) moveBytes(buffers[at]!, copies.get(buffers[at]!) as ArrayBuffer);
  return copy;
}

const refused = (what: string): DOMException => new DOMException(`${what} cannot be cloned.`, 'DataCloneError');

/** Every buffer of the list gets an empty copy, which is filled when nothing can fail any more. */
function transferList(transfer: Iterable<object>, copies: Copies): ArrayBuffer[] {
  const iterate = (transfer as unknown as Record<symbol, unknown> | null)?.[symbolIterator];
  if (typeof iterate !== 'function') throw new NativeTypeError('transfer is a list');
  const iterator = apply(iterate as () => unknown, transfer, []) as { next(): { done?: boolean; value: unknown } };
  const { next } = iterator;
  const buffers: ArrayBuffer[] = [];
  for (;;) {
    const step = apply(next, iterator, []) as { done?: boolean; value: unknown };
    if (step.done) return buffers;
    const buffer = step.value as ArrayBuffer;
    if (typeof buffer !== 'object' || buffer === null) throw new NativeTypeError('transfer is a list of objects');
    if (!isBranded(bufferBytes, buffer)) throw new DOMException('Only buffers can be transferred.', 'DataCloneError');
    if (copies.has(buffer) || bufferDetached(buffer)) {
      throw new DOMException('A buffer can be transferred once only.', 'DataCloneError');
    }
    copies.set(buffer, new NativeArrayBuffer(bufferBytes(buffer)));
    arrayPush(buffers, buffer);
  }
}

function moveBytes(from: ArrayBuffer, to: ArrayBuffer): void {
  bytesSet(new NativeUint8Array(to), new NativeUint8Array(from));
  bufferTransfer(from);
}

function clone(value: unknown, copies: Copies): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(`A ${typeof value}`);
  if (typeof value !== 'object' || value === null) return value;
  return copies.get(value) ?? cloneObject(value, copies);
}

function cloneObject(value: object, copies: Copies): object {
  const keep = <Copy extends object>(copy: Copy): Copy => {
    copies.set(value, copy);
    return copy;
  };
  if (isArray(value)) return cloneFields(value, keep(new NativeArray(value.length) as object), copies);
  if (isPlain(value)) return cloneFields(value, keep({}), copies);
  const boxed = primitiveOf(value);
  if (boxed !== undefined) return keep(NativeObject(boxed) as object);
  if (isBranded(dateGetTime, value)) return keep(new NativeDate(dateGetTime(value as Date)));
  if (isBranded(regExpSource, value) && getPrototypeOf(value) !== null && value !== NativeRegExp.prototype) {
    return keep(new NativeRegExp(regExpSource(value), regExpFlags(value)));
  }
  if (isBranded(mapSize, value)) return cloneMap(value as Map<unknown, unknown>, keep(new NativeMap()), copies);
  if (isBranded(setSize, value)) return cloneSet(value as Set<unknown>, keep(new NativeSet()), copies);
  if (isView(value)) return keep(cloneView(value, copies));
  if (isBranded(bufferBytes, value)) return keep(cloneBuffer(value as ArrayBuffer));
  const platform = clonePlatformObject(value);
  if (platform !== null) return keep(platform);
  if (value instanceof NativeError) return cloneError(value, keep, copies);
  return cloneFields(value, keep({}), copies);
}

/** Nearly all objects are; asking for brands costs more than cloning them. */
function isPlain(value: object): boolean {
  const prototype = getPrototypeOf(value) as object | null;
  return (prototype === objectPrototype || prototype === null) && objectToString(value) === '[object Object]';
}
const objectToString = uncurryThis(objectPrototype.toString) as (value: object) => string;

const unbox = [
  uncurryThis(Boolean.prototype.valueOf),
  uncurryThis(Number.prototype.valueOf),
  uncurryThis(String.prototype.valueOf),
  uncurryThis(BigInt.prototype.valueOf),
] as unknown as ((value: object) => unknown)[];

/** The value in an object such as `new Number(1)`; undefined for every other object. Throws for that of a symbol. */
function primitiveOf(value: object): unknown {
  for (let at = 0; at < unbox.length; at += 1) if (isBranded(unbox[at]!, value)) return unbox[at]!(value);
  if (isBranded(unboxSymbol, value)) throw refused('A symbol');
  return undefined;
}
const unboxSymbol = uncurryThis(Symbol.prototype.valueOf);

const regExpSource = uncurryThis(getOwnPropertyDescriptor(NativeRegExp.prototype, 'source')!.get as () => string) as (
  value: object,
) => string;
const regExpFlags = uncurryThis(getOwnPropertyDescriptor(NativeRegExp.prototype, 'flags')!.get as () => string) as (
  value: object,
) => string;

function cloneMap(map: Map<unknown, unknown>, copy: Map<unknown, unknown>, copies: Copies): object {
  // Listed first: a getter of an entry may change the map meanwhile.
  const entries: [unknown, unknown][] = [];
  mapForEach(map, (item, key) => arrayPush(entries, [key, item]));
  for (let at = 0; at < entries.length; at += 1) {
    nativeMapSet(copy, clone(entries[at]![0], copies), clone(entries[at]![1], copies));
  }
  return copy;
}

function cloneSet(set: Set<unknown>, copy: Set<unknown>, copies: Copies): object {
  const items: unknown[] = [];
  setForEach(set, (item) => arrayPush(items, item));
  for (let at = 0; at < items.length; at += 1) nativeSetAdd(copy, clone(items[at], copies));
  return copy;
}

const nativeMapSet = uncurryThis(NativeMap.prototype.set);
const nativeSetAdd = uncurryThis(NativeSet.prototype.add);

function cloneFields(from: object, to: object, copies: Copies): object {
  const names = keys(from);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
    // An earlier getter may have taken it away.
    if (getOwnPropertyDescriptor(from, name) === undefined) continue;
    const item = clone((from as Record<string, unknown>)[name], copies);
    defineProperty(to, name, {
      __proto__: null,
      value: item,
      writable: true,
      configurable: true,
      enumerable: true,
    } as PropertyDescriptor);
  }
  return to;
}

function cloneBuffer(buffer: ArrayBuffer): ArrayBuffer {
  if (bufferDetached(buffer)) throw refused('A buffer that was transferred');
  const copy = new NativeArrayBuffer(bufferBytes(buffer));
  bytesSet(new NativeUint8Array(copy), new NativeUint8Array(buffer));
  return copy;
}

/** Views of one buffer stay views of one buffer. */
function cloneView(view: object, copies: Copies): object {
  const kind = typedArrayKind(view as unknown);
  if (kind === undefined) {
    const buffer = clone(viewBuffer(view as DataView), copies) as ArrayBuffer;
    return new NativeDataView(buffer, viewOffset(view as DataView), viewBytes(view as DataView));
  }
  const array = view as Uint8Array;
  const buffer = clone(typedArrayBuffer(array), copies) as ArrayBuffer;
  return new TYPED_ARRAYS[kind]!.Kind(buffer, typedArrayOffset(array), typedArrayLength(array));
}

/** What an interface of the platform becomes; null where the value is no object of one. */
function clonePlatformObject(value: object): object | null {
  let owner = getPrototypeOf(value) as object | null;
  while (owner !== null && !platformPrototypes.has(owner)) owner = getPrototypeOf(owner) as object | null;
  if (owner === null) return null;
  if (owner === DOMException.prototype) return cloneException(value as DOMException);
  const copy = partIfMade<{ cloneBlob?(value: object): object | null }>('blob')?.cloneBlob?.(value);
  if (copy !== undefined && copy !== null) return copy;
  throw refused('An object that is more than its fields');
}

function cloneException(error: DOMException): DOMException {
  const copy = new DOMException(error.message, error.name);
  defineHidden(copy, 'stack', error.stack);
  return copy;
}

/** The message is taken where it is a field of the error's own, as the standard does. */
function cloneError(error: Error, keep: <Copy extends object>(copy: Copy) => Copy, copies: Copies): object {
  const name = NativeString(error.name);
  const message = getOwnPropertyDescriptor(error, 'message');
  const Kind = ERRORS[name] ?? NativeError;
  const copy = keep(
    message === undefined || !('value' in message) ? new Kind() : new Kind(NativeString(message.value)),
  );
  defineHidden(copy, 'stack', error.stack);
  if (getOwnPropertyDescriptor(error, 'cause')) defineHidden(copy, 'cause', clone(error.cause, copies));
  return copy;
}
