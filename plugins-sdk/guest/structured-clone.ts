import { bytesOf } from './bytes.ts';
import { DOMException } from './events.ts';
import {
  bufferBytes,
  construct,
  dateGetTime,
  defineHidden,
  defineProperty,
  getOwnPropertyDescriptor,
  isArray,
  isBranded,
  isView,
  keys,
  mapForEach,
  mapSize,
  NativeArray,
  NativeDate,
  NativeError,
  NativeString,
  NativeTypeError,
  SafeMap,
  setForEach,
  setSize,
  typedArrayBuffer,
  typedArrayKind,
  uncurryThis,
} from './primordials.ts';

type Copies = SafeMap<object, object>;
const { Map: NativeMap, Set: NativeSet, RegExp: NativeRegExp, DataView: NativeDataView } = globalThis;
const ERRORS: Record<string, ErrorConstructor> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/**
 * HTML's structured clone for values in memory: primitives, plain objects, arrays, Map, Set, Date, RegExp, buffers and
 * views, errors; cycles are kept. Functions, symbols and transfers are refused with DataCloneError.
 */
export function structuredClone(value: unknown, options?: { transfer?: unknown[] }): unknown {
  if (options?.transfer !== undefined && options.transfer.length > 0) throw refused('Transferring');
  return clone(value, new SafeMap());
}

const refused = (what: string): DOMException => new DOMException(`${what} cannot be cloned`, 'DataCloneError');

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
  if (isBranded(dateGetTime, value)) return keep(new NativeDate(dateGetTime(value as Date)));
  if (value instanceof NativeRegExp) return keep(new NativeRegExp(value.source, value.flags));
  if (isBranded(mapSize, value)) {
    const copy = keep(new NativeMap());
    mapForEach(value as Map<unknown, unknown>, (item, key) =>
      nativeMapSet(copy, clone(key, copies), clone(item, copies)),
    );
    return copy;
  }
  if (isBranded(setSize, value)) {
    const copy = keep(new NativeSet());
    setForEach(value as Set<unknown>, (item) => nativeSetAdd(copy, clone(item, copies)));
    return copy;
  }
  if (isView(value) || isBranded(bufferBytes, value)) return keep(cloneBytes(value));
  if (value instanceof NativeError) return cloneError(value, keep, copies);
  return cloneFields(value, keep({}), copies);
}

const nativeMapSet = uncurryThis(NativeMap.prototype.set);
const nativeSetAdd = uncurryThis(NativeSet.prototype.add);

function cloneFields(from: object, to: object, copies: Copies): object {
  const names = keys(from);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!;
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

function cloneBytes(value: object): object {
  const buffer = typedArrayBuffer(bytesOf(value)!);
  if (!isView(value)) return buffer;
  const kind = typedArrayKind(value as unknown);
  if (kind === undefined) return new NativeDataView(buffer);
  const View = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => object>)[kind];
  if (View === undefined) throw new NativeTypeError(`${kind} is missing`);
  return construct(View, [buffer]);
}

function cloneError(error: Error, keep: <Copy extends object>(copy: Copy) => Copy, copies: Copies): object {
  const name = NativeString(error.name);
  const copy = keep(new (ERRORS[name] ?? NativeError)(NativeString(error.message)));
  defineHidden(copy, 'stack', error.stack);
  if (getOwnPropertyDescriptor(error, 'cause')) defineHidden(copy, 'cause', clone(error.cause, copies));
  return copy;
}
