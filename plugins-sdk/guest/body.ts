import { base64Decode } from './base64.ts';
import {
  bufferBytes,
  charCodeAt,
  copyOfBytes,
  isBranded,
  isView,
  jsonParse,
  NativeTypeError,
  NativeUint8Array,
  stringSlice,
  stringWellFormed,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayKind,
  typedArrayOffset,
  viewBuffer,
  viewBytes,
  viewOffset,
} from './primordials.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';

/** A body in memory: text as long as nobody asks for bytes, so that most bodies are never encoded. */
export type BodyContent = string | Uint8Array<ArrayBuffer> | null;

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

/** What `new Response(value)` and `new Request(url, { body: value })` make of a value. */
export function extractBody(value: unknown): { content: BodyContent; contentType: string | null } {
  if (value === null || value === undefined) return { content: null, contentType: null };
  if (typeof value === 'string') return { content: stringWellFormed(value), contentType: TEXT };
  const bytes = bytesOf(value);
  if (bytes !== null) return { content: bytes, contentType: null };
  if (isParams(value)) {
    return { content: `${value as string}`, contentType: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (typeof value === 'object' && 'getReader' in value) {
    throw new NativeTypeError('Streams cannot be bodies yet; use a string, an ArrayBuffer or a view.');
  }
  return { content: stringWellFormed(`${value as string}`), contentType: TEXT };
}
const TEXT = 'text/plain;charset=UTF-8';

let paramsClass: (new () => unknown) | null = null;
/** Tells which class counts as URLSearchParams; it is made on first use only. */
export function recogniseParams(URLSearchParams: new () => unknown): void {
  paramsClass = URLSearchParams;
}
const isParams = (value: unknown): boolean => paramsClass !== null && value instanceof paramsClass;

export function contentFromWire(body: string | null, bodyEncoding: string): BodyContent {
  return body === null || bodyEncoding === 'utf8' ? body : base64Decode(body);
}

let contentOf: (body: Body) => BodyContent;
/** The content of a body that has not been read; looking leaves it as it is. Throws a TypeError after it was read. */
export const unreadContent = (body: Body): BodyContent => contentOf(body);

/** What Request and Response share: a body that is read once. */
export class Body {
  #content: BodyContent;
  #used = false;

  constructor(content: BodyContent) {
    this.#content = content;
  }

  static {
    contentOf = (body) => {
      if (body.#used) throw new NativeTypeError('The body was already read; clone() before reading it twice.');
      return body.#content;
    };
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  async text(): Promise<string> {
    const content = this.#take();
    if (content === null) return '';
    if (typeof content !== 'string') return withoutMark(utf8Decode(content, false));
    return withoutMark(content);
  }

  async json(): Promise<unknown> {
    return jsonParse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return typedArrayBuffer(await this.bytes());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = this.#take();
    if (content === null) return new NativeUint8Array(0);
    return typeof content === 'string' ? utf8Encode(content) : copyOfBytes(content);
  }

  #take(): BodyContent {
    const content = contentOf(this);
    // An absent body can be read as often as one likes.
    this.#used = content !== null;
    return content;
  }
}

/** Decoding removes a byte-order mark. */
const withoutMark = (text: string): string => (charCodeAt(text, 0) === 0xfeff ? stringSlice(text, 1) : text);
