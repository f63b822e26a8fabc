import {
  bufferBytes,
  copyOfBytes,
  isBranded,
  isView,
  NativeUint8Array,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayKind,
  typedArrayOffset,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';

/** The bytes of a buffer or a view, copied; null for everything else. */
export function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | null {
  // Asking text for its brand throws, which costs more than all the rest of an answer (5 us).
  if (typeof value !== 'object' || value === null) return null;
  if (isView(value)) {
    return typedArrayKind(value as unknown) === undefined
      ? copyOfBytes(new NativeUint8Array(viewBuffer(value), viewOffset(value), viewBytes(value)))
      : copyOfBytes(new NativeUint8Array(typedArrayBuffer(value), typedArrayOffset(value), typedArrayBytes(value)));
  }
  return isBranded(bufferBytes, value) ? copyOfBytes(new NativeUint8Array(value as ArrayBuffer)) : null;
}
