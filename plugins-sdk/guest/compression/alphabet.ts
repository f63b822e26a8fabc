import { NativeUint8Array, NativeUint16Array } from '../primordials.ts';

/** A typed array made of a list would walk it, and a plugin may have changed how lists are walked. */
function filled<List extends Uint8Array | Uint16Array>(list: List, values: readonly number[]): List {
  for (let at = 0; at < values.length; at += 1) list[at] = values[at]!;
  return list;
}

/** RFC 1951, section 3.2.5: bases and extra bits of lengths and distances. */
export const LENGTH_BASE = filled(
  new NativeUint16Array(29),
  [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
);
export const LENGTH_EXTRA = filled(
  new NativeUint8Array(29),
  [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
export const DISTANCE_BASE = filled(
  new NativeUint16Array(30),
  [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ],
);
export const DISTANCE_EXTRA = filled(
  new NativeUint8Array(30),
  [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
);
/** The order in which the lengths of the codes for lengths are written. */
export const CODE_ORDER = filled(
  new NativeUint8Array(19),
  [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15],
);

export const END_OF_BLOCK = 256;
export const WINDOW_BYTES = 32_768;

export function fixedLiteralLengths(): Uint8Array {
  const lengths = new NativeUint8Array(288);
  for (let at = 0; at < 288; at += 1) lengths[at] = at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8;
  return lengths;
}
export function fixedDistanceLengths(): Uint8Array {
  const lengths = new NativeUint8Array(30);
  for (let at = 0; at < 30; at += 1) lengths[at] = 5;
  return lengths;
}
