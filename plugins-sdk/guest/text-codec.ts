import { base64Decode, base64Encode } from './base64.ts';
import { bytesOf } from './bytes.ts';
import { DOMException } from './events.ts';
import { takePart } from './parts.ts';
import {
  apply,
  charCodeAt,
  fromCharCode,
  min,
  NativeRangeError,
  NativeTypeError,
  NativeUint8Array,
  regExpExec,
  stringSlice,
  typedArrayKind,
  viewOfBytes,
} from './primordials.ts';
import { type Utf8State, utf8Decode, utf8Encode, utf8EncodeInto } from './utf8.ts';
import { webClass } from './web-class.ts';

export class TextEncoder {
  readonly #encoding = 'utf-8';
  get encoding(): string {
    return this.#encoding;
  }
  encode(text: unknown = ''): Uint8Array<ArrayBuffer> {
    if (this.#encoding === undefined) return new NativeUint8Array(0);
    return utf8Encode(`${text as string}`);
  }
  encodeInto(text: unknown, into: Uint8Array): { read: number; written: number } {
    if (this.#encoding === undefined || typedArrayKind(into) !== 'Uint8Array')
      throw new NativeTypeError('encodeInto writes into a Uint8Array');
    return utf8EncodeInto(`${text as string}`, into);
  }
}

type Encodings = typeof import('./encodings/index.ts');

/**
 * UTF-8, UTF-16 and the encodings of single bytes. Those of several bytes for East Asia are left out: their tables are larger than the
 * whole runtime.
 */
export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreMark: boolean;
  /** Null for UTF-8. */
  readonly #decode: ReturnType<Encodings['openDecoder']> | null;
  #state: Utf8State | null = null;
  #begun = false;

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.#encoding = encodingOf(`${label as string}`);
    this.#fatal = !!options?.fatal;
    this.#ignoreMark = !!options?.ignoreBOM;
    this.#decode =
      this.#encoding === 'utf-8' ? null : takePart<Encodings>('encodings').openDecoder(this.#encoding, this.#fatal);
  }
  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreMark;
  }

  decode(input: ArrayBuffer | ArrayBufferView | undefined = undefined, options: { stream?: boolean } = {}): string {
    const stream = !!options?.stream;
    const bytes = input === undefined ? new NativeUint8Array(0) : bytesOf(input);
    if (bytes === null) throw new NativeTypeError('decode takes an ArrayBuffer or a view of one');
    let text: string;
    try {
      text = this.#decode === null ? this.#decodeUtf8(bytes, !stream) : this.#decode(bytes, !stream);
    } catch (error) {
      this.#state = null;
      this.#begun = false;
      throw error;
    }
    const marked = !this.#begun && !this.#ignoreMark && charCodeAt(text, 0) === 0xfeff;
    this.#begun = stream && (this.#begun || text !== '');
    return marked ? stringSlice(text, 1) : text;
  }

  #decodeUtf8(bytes: Uint8Array, last: boolean): string {
    if (last && this.#state === null) return utf8Decode(bytes, this.#fatal);
    const state = this.#state ?? { tail: new NativeUint8Array(0) };
    this.#state = last ? null : state;
    const text = utf8Decode(bytes, this.#fatal, state);
    return last ? text + utf8Decode(state.tail, this.#fatal) : text;
  }
}
webClass(TextEncoder, 'TextEncoder');
webClass(TextDecoder, 'TextDecoder');

function encodingOf(label: string): string {
  const name = withoutSpaces(label);
  if (regExpExec(UTF_8, name) !== null) return 'utf-8';
  const encodings = takePart<Encodings>('encodings');
  const encoding = encodings.encodingOf(name);
  if (encoding !== null) return encoding;
  const why = encodings.isLeftOut(name) ? 'is left out of plugins' : 'is unknown';
  throw new NativeRangeError(`The encoding "${stringSlice(name, 0, 40)}" ${why}.`);
}
const UTF_8 = /^(?:utf-?8|(?:x-)?unicode20utf8|unicode11utf8|unicode-1-1-utf-8)$/i;

/** Without ASCII white space at both ends. */
function withoutSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(charCodeAt(text, from))) from += 1;
  while (to > from && isSpace(charCodeAt(text, to - 1))) to -= 1;
  return stringSlice(text, from, to);
}
const isSpace = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13 && unit !== 11);

export function atob(text: unknown): string {
  const bytes = base64Decode(`${text as string}`);
  if (bytes === null) throw new DOMException('The string is not base64', 'InvalidCharacterError');
  let binary = '';
  for (let at = 0; at < bytes.length; at += 4_096) {
    binary += apply(fromCharCode, null, viewOfBytes(bytes, at, min(at + 4_096, bytes.length)) as unknown as number[]);
  }
  return binary;
}

export function btoa(text: unknown): string {
  const binary = `${text as string}`;
  const bytes = new NativeUint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) {
    const unit = charCodeAt(binary, at);
    if (unit > 255) throw new DOMException('The string has characters outside Latin-1', 'InvalidCharacterError');
    bytes[at] = unit;
  }
  return base64Encode(bytes);
}
