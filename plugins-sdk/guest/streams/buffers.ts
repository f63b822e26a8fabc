import {
  bufferBytes,
  bufferDetached,
  bufferTransfer,
  bytesSet,
  construct,
  NativeArrayBuffer,
  NativeDataView,
  NativeTypeError,
  NativeUint8Array,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayKind,
  typedArrayLength,
  typedArrayOffset,
  viewBuffer,
  viewBytes,
  viewOffset,
} from '../primordials.ts';
import { TYPED_ARRAYS } from '../typed-arrays.ts';

export type ViewMaker = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

export interface ViewFacts {
  buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
  /** Elements; bytes for a DataView. */
  length: number;
  elementSize: number;
  Kind: ViewMaker;
}

/** What a view is, asked of the engine and not of the view. */
export function viewFacts(view: ArrayBufferView): ViewFacts {
  const kind = typedArrayKind(view as unknown);
  if (kind === undefined) {
    const byteLength = viewBytes(view);
    return {
      buffer: viewBuffer(view),
      byteOffset: viewOffset(view),
      byteLength,
      length: byteLength,
      elementSize: 1,
      Kind: NativeDataView as unknown as ViewMaker,
    };
  }
  const length = typedArrayLength(view as unknown);
  const byteLength = typedArrayBytes(view as unknown);
  const { Kind, elementSize } = TYPED_ARRAYS[kind]!;
  return {
    buffer: typedArrayBuffer(view as unknown),
    byteOffset: typedArrayOffset(view as unknown),
    byteLength,
    length,
    elementSize,
    Kind: Kind as unknown as ViewMaker,
  };
}

export function transferred(buffer: ArrayBuffer): ArrayBuffer {
  if (bufferDetached(buffer)) throw new NativeTypeError('The buffer was given away');
  return bufferTransfer(buffer);
}

export const isDetached = (buffer: ArrayBuffer): boolean => bufferDetached(buffer);
export const sizeOfBuffer = (buffer: ArrayBuffer): number => bufferBytes(buffer);

export const makeView = (Kind: ViewMaker, buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView =>
  construct(Kind, [buffer, byteOffset, length]);

export const bytesIn = (buffer: ArrayBuffer, byteOffset: number, byteLength: number): Uint8Array<ArrayBuffer> =>
  new NativeUint8Array(buffer, byteOffset, byteLength);

export function copyBytes(from: ArrayBuffer, fromAt: number, byteLength: number, to: ArrayBuffer, toAt: number): void {
  bytesSet(bytesIn(to, toAt, byteLength), bytesIn(from, fromAt, byteLength));
}

export function clonedBuffer(from: ArrayBuffer, byteOffset: number, byteLength: number): ArrayBuffer {
  const clone = new NativeArrayBuffer(byteLength);
  copyBytes(from, byteOffset, byteLength, clone, 0);
  return clone;
}
