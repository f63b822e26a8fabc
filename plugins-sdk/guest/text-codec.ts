import { base64Decode, base64Encode } from './base64.ts';
import { bytesOf } from './body.ts';
import { DOMException } from './events.ts';
import {
  apply,
  charCodeAt,
  fromCharCode,
  min,
  NativeRangeError,
  NativeTypeError,
  NativeUint8Array,
  stringLower,
  stringSlice,
  stringTrim,
  typedArrayKind,
  viewOfBytes,
} from './primordials.ts';
import { type Utf8State, utf8Decode, utf8Encode, utf8EncodeInto } from './utf8.ts';

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }
  encode(text: unknown = ''): Uint8Array<ArrayBuffer> {
    return utf8Encode(`${text as string}`);
  }
  encodeInto(text: unknown, into: Uint8Array): { read: number; written: number } {
    if (typedArrayKind(into) !== 'Uint8Array') throw new NativeTypeError('encodeInto writes into a Uint8Array');
    return utf8EncodeInto(`${text as string}`, into);
  }
}

/** UTF-8 only: what WinterTC programs use in practice, without tables of other encodings in every isolate. */
export class TextDecoder {
  readonly #fatal: boolean;
  readonly #ignoreMark: boolean;
  #state: Utf8State | null = null;
  #begun = false;

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const name = stringLower(stringTrim(`${label as string}`));
    if (name !== 'utf-8' && name !== 'utf8' && name !== 'unicode-1-1-utf-8') {
      throw new NativeRangeError(`TextDecoder knows utf-8 only, not "${name}"`);
    }
    this.#fatal = options?.fatal === true;
    this.#ignoreMark = options?.ignoreBOM === true;
  }
  get encoding(): string {
    return 'utf-8';
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreMark;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const bytes = input === undefined ? new NativeUint8Array(0) : bytesOf(input);
    if (bytes === null) throw new NativeTypeError('decode takes an ArrayBuffer or a view of one');
    const stream = options?.stream === true;
    const state = this.#state ?? { tail: new NativeUint8Array(0) };
    const text = stream ? utf8Decode(bytes, this.#fatal, state) : this.#last(bytes, state);
    this.#state = stream ? state : null;
    const marked = !this.#begun && !this.#ignoreMark && charCodeAt(text, 0) === 0xfeff;
    this.#begun = stream && (this.#begun || text !== '');
    return marked ? stringSlice(text, 1) : text;
  }

  #last(bytes: Uint8Array, state: Utf8State): string {
    const text = utf8Decode(bytes, this.#fatal, state);
    return text + utf8Decode(state.tail, this.#fatal);
  }
}

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
