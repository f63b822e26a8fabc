import { apply, fromCharCode, NativeTypeError, NativeUint16Array, typedArrayBuffer } from '../primordials.ts';
import { encodingOf, isLeftOut } from './labels.ts';
import { singleByteIndex } from './single-byte.ts';

export { encodingOf, isLeftOut };

/** Decodes one text, piece by piece. With `last` nothing is kept for a next piece. Throws a TypeError for broken bytes where `fatal`. */
export type Decode = (bytes: Uint8Array, last: boolean) => string;

/** `encoding` is a name that `encodingOf` gave. */
export function openDecoder(encoding: string, fatal: boolean): Decode {
  if (encoding === 'utf-16le' || encoding === 'utf-16be') return utf16Decoder(encoding === 'utf-16be', fatal);
  return singleByteDecoder(encoding === 'x-user-defined' ? null : singleByteIndex(indexNameOf(encoding)), fatal);
}

const indexNameOf = (encoding: string): string => (encoding === 'iso-8859-8-i' ? 'iso-8859-8' : encoding);

const CHUNK_UNITS = 4_096;
const REPLACEMENT = 0xfffd;

/** Collects UTF-16 units into a text. */
function textWriter(): { put(unit: number): void; take(): string } {
  const units = new NativeUint16Array(CHUNK_UNITS);
  let count = 0;
  let text = '';
  const flush = (): void => {
    text += apply(fromCharCode, null, new NativeUint16Array(typedArrayBuffer(units), 0, count) as unknown as number[]);
    count = 0;
  };
  return {
    put: (unit) => {
      if (count === CHUNK_UNITS) flush();
      units[count] = unit;
      count += 1;
    },
    take: () => {
      flush();
      return text;
    },
  };
}

const broken = (): TypeError => new NativeTypeError('The bytes are not valid in this encoding.');

/** Without an index, bytes from 128 on become private code points (`x-user-defined`). */
function singleByteDecoder(index: readonly number[] | null, fatal: boolean): Decode {
  return (bytes) => {
    const writer = textWriter();
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      const point = byte < 128 ? byte : index === null ? 0xf780 + byte - 128 : index[byte - 128]!;
      if (point === REPLACEMENT && fatal) throw broken();
      writer.put(point);
    }
    return writer.take();
  };
}

function utf16Decoder(bigEndian: boolean, fatal: boolean): Decode {
  /** The first byte of a unit, and a high surrogate, that wait for the next piece; -1 without. */
  let half = -1;
  let high = -1;
  return (bytes, last) => {
    const writer = textWriter();
    const wrong = (): void => {
      if (!fatal) {
        writer.put(REPLACEMENT);
        return;
      }
      half = -1;
      high = -1;
      throw broken();
    };
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (half < 0) {
        half = byte;
        continue;
      }
      const unit = bigEndian ? (half << 8) | byte : (byte << 8) | half;
      half = -1;
      const isLow = (unit & 0xfc00) === 0xdc00;
      if (high >= 0) {
        const first = high;
        high = -1;
        if (isLow) {
          writer.put(first);
          writer.put(unit);
          continue;
        }
        wrong();
      }
      if ((unit & 0xfc00) === 0xd800) high = unit;
      else if (isLow) wrong();
      else writer.put(unit);
    }
    if (last && (half >= 0 || high >= 0)) {
      half = -1;
      high = -1;
      wrong();
    }
    return writer.take();
  };
}
