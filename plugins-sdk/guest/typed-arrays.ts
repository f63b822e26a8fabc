import { setPrototypeOf } from './primordials.ts';

interface TypedArrayFacts {
  readonly Kind: new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => ArrayBufferView;
  readonly elementSize: number;
}

/** The typed arrays of the language by their names, as they were before plugin code ran. */
export const TYPED_ARRAYS: Record<string, TypedArrayFacts> = setPrototypeOf({}, null) as Record<
  string,
  TypedArrayFacts
>;

for (const Kind of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as unknown as { Float16Array: Uint8ArrayConstructor }).Float16Array,
]) {
  if (Kind !== undefined) TYPED_ARRAYS[Kind.name] = { Kind: Kind as never, elementSize: Kind.BYTES_PER_ELEMENT };
}
