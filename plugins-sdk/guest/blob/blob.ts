import { bytesOf } from '../bytes.ts';
import { nowMs } from '../clock.ts';
import { takePart } from '../parts.ts';
import {
  arrayPush,
  bytesSet,
  charCodeAt,
  copyOfBytes,
  defineProperty,
  max,
  min,
  NativeTypeError,
  NativeUint8Array,
  regExpExec,
  stringLower,
  stringSlice,
  stringWellFormed,
  symbolIterator,
  trunc,
  typedArrayBuffer,
  viewOfBytes,
} from '../primordials.ts';
import type { ReadableStream } from '../streams/readable-stream.ts';
import { utf8Decode, utf8Encode } from '../utf8.ts';
import { showAs, webClass } from '../web-class.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Bodies = typeof import('../streams/bodies.ts');

const MADE = {};
const PRINTABLE = /^[\x20-\x7e]*$/;

let bytesBehind: (blob: Blob) => Bytes;
let typeBehind: (blob: Blob) => string;
let isReal: (value: unknown) => boolean;

/** Bytes that do not change, in memory. */
export class Blob {
  readonly #bytes: Bytes;
  readonly #type: string;

  constructor(parts: unknown = undefined, options: unknown = undefined) {
    if (parts === MADE) {
      const { bytes, type } = options as { bytes: Bytes; type: string };
      this.#bytes = bytes;
      this.#type = type;
      return;
    }
    const list = parts === undefined ? [] : listOf(parts);
    const { type, endings } = optionsOf(options);
    const pieces: Bytes[] = [];
    let length = 0;
    for (let at = 0; at < list.length; at += 1) {
      const piece = pieceOf(list[at], endings === 'native');
      arrayPush(pieces, piece);
      length += piece.length;
    }
    const bytes = new NativeUint8Array(length);
    let to = 0;
    for (let at = 0; at < pieces.length; at += 1) {
      bytesSet(bytes, pieces[at]!, to);
      to += pieces[at]!.length;
    }
    this.#bytes = bytes;
    this.#type = typeOf(type);
  }
  static {
    showAs(Blob, (self: Blob) => [
      ['size', self.#bytes.length],
      ['type', self.#type],
    ]);
    bytesBehind = (blob) => blob.#bytes;
    typeBehind = (blob) => blob.#type;
    isReal = (value) => typeof value === 'object' && value !== null && #bytes in value;
  }

  get size(): number {
    return this.#bytes.length;
  }
  get type(): string {
    return this.#type;
  }
  slice(start: unknown = undefined, end: unknown = undefined, contentType: unknown = undefined): Blob {
    const size = this.#bytes.length;
    const from = place(start, 0, size);
    const to = place(end, size, size);
    const type = contentType === undefined ? '' : typeOf(`${contentType as string}`);
    return makeBlob(viewOfBytes(this.#bytes, from, max(from, to)), type);
  }
  stream(): ReadableStream {
    return takePart<Bodies>('streams').streamOfBytes(this.#bytes);
  }
  async text(): Promise<string> {
    const text = utf8Decode(this.#bytes, false);
    return charCodeAt(text, 0) === 0xfeff ? stringSlice(text, 1) : text;
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return typedArrayBuffer(copyOfBytes(this.#bytes));
  }
  async bytes(): Promise<Bytes> {
    return copyOfBytes(this.#bytes);
  }
}
webClass(Blob, 'Blob');

export const makeBlob = (bytes: Bytes, type: string): Blob => new Blob(MADE, { bytes, type });
export const blobBytes = (blob: Blob): Bytes => bytesBehind(blob);
export const isBlob = (value: unknown): value is Blob => isReal(value);

let isRealFile: (value: unknown) => boolean;

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(...args: unknown[]) {
    const parts = args[0];
    const name = args[1];
    const options = args[2];
    if (parts === MADE) {
      super(MADE, options);
      this.#name = name as string;
      this.#lastModified = (options as { lastModified: number }).lastModified;
      return;
    }
    if (args.length < 2) throw new NativeTypeError('new File(parts, name): both are needed');
    super(listOf(parts), options);
    this.#name = stringWellFormed(`${name as string}`);
    const { lastModified } = (options ?? {}) as { lastModified?: unknown };
    this.#lastModified = lastModified === undefined ? nowMs() : trunc(+(lastModified as number)) || 0;
  }
  static {
    showAs(File, (self: File) => [
      ['name', self.#name],
      ['size', blobBytes(self).length],
      ['type', typeBehind(self)],
      ['lastModified', self.#lastModified],
    ]);
    isRealFile = (value) => typeof value === 'object' && value !== null && #name in value;
  }
  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }
}
webClass(File, 'File');
defineProperty(File, 'length', { __proto__: null, value: 2, configurable: true } as PropertyDescriptor);

export const isFile = (value: unknown): value is File => isRealFile(value);
export const makeFile = (bytes: Bytes, name: string, type: string, lastModified = nowMs()): File =>
  new File(MADE, name, { bytes, type, lastModified });

function optionsOf(value: unknown): { type: unknown; endings: unknown } {
  if (value === undefined || value === null) return { type: '', endings: 'transparent' };
  if (typeof value !== 'object' && typeof value !== 'function')
    throw new NativeTypeError('The options must be an object');
  const { endings = 'transparent', type = '' } = value as { endings?: unknown; type?: unknown };
  const ending = `${endings as string}`;
  if (ending !== 'transparent' && ending !== 'native')
    throw new NativeTypeError(`endings is transparent or native, not ${ending}`);
  return { type: `${type as string}`, endings: ending };
}

const typeOf = (type: unknown): string =>
  regExpExec(PRINTABLE, type as string) === null ? '' : stringLower(type as string);

/** What a sequence gives, read once. */
function listOf(parts: unknown): unknown[] {
  if ((typeof parts !== 'object' && typeof parts !== 'function') || parts === null) {
    throw new NativeTypeError('The parts of a blob come in an array');
  }
  const list: unknown[] = [];
  if (typeof (parts as { [symbolIterator]?: unknown })[symbolIterator] !== 'function') {
    throw new NativeTypeError('The parts of a blob come in an array');
  }
  for (const part of parts as Iterable<unknown>) arrayPush(list, part);
  return list;
}

function pieceOf(part: unknown, nativeEndings: boolean): Bytes {
  if (isReal(part)) return bytesBehind(part as Blob);
  const bytes = bytesOf(part);
  if (bytes !== null) return bytes;
  const text = `${part as string}`;
  return utf8Encode(nativeEndings ? withNewlines(text, '\n') : text);
}

/** Each CRLF, CR and LF as `newline`. */
export function withNewlines(text: string, newline: string): string {
  let out = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit !== 13 && unit !== 10) continue;
    out += stringSlice(text, from, at) + newline;
    if (unit === 13 && charCodeAt(text, at + 1) === 10) at += 1;
    from = at + 1;
  }
  return from === 0 ? text : out + stringSlice(text, from);
}

function place(given: unknown, otherwise: number, size: number): number {
  if (given === undefined) return otherwise;
  const at = trunc(+(given as number)) || 0;
  if (at < 0) return max(size + at, 0);
  return min(at, size);
}

/** The same bytes under another object, for a structured clone; null for what is neither Blob nor File. */
export function cloneBlob(value: unknown): Blob | null {
  if (isFile(value)) return makeFile(blobBytes(value), value.name, value.type, value.lastModified);
  return isBlob(value) ? makeBlob(blobBytes(value), value.type) : null;
}
