import type { AbortSignal } from './abort.ts';
import { base64Decode } from './base64.ts';
import type { Blob, FormData } from './blob/index.ts';
import { bytesOf } from './bytes.ts';
import type { Invocation } from './invocation.ts';
import { partIfMade, takePart } from './parts.ts';
import {
  charCodeAt,
  copyOfBytes,
  jsonParse,
  NativeTypeError,
  NativeUint8Array,
  stringSlice,
  stringWellFormed,
  typedArrayBuffer,
} from './primordials.ts';
import type { Drained } from './streams/bodies.ts';
import type { ReadableStream } from './streams/readable-stream.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';

type Streams = typeof import('./streams/bodies.ts') &
  typeof import('./streams/pieces.ts') &
  Pick<typeof import('./streams/readable-stream.ts'), 'isReadable'>;
type Blobs = typeof import('./blob/index.ts');
const streams = (): Streams => takePart<Streams>('streams');

/** A body in memory: text as long as nobody asks for bytes, so that most bodies are never encoded. */
export type BodyContent = string | Uint8Array<ArrayBuffer> | null;

export interface ExtractedBody {
  content: BodyContent;
  contentType: string | null;
  /** In place of `content`. */
  stream: ReadableStream | null;
}

const TEXT = 'text/plain;charset=UTF-8';

/** What `new Response(value)` and `new Request(url, { body: value })` make of a value. */
export function extractBody(value: unknown): ExtractedBody {
  if (typeof value === 'string') return { content: stringWellFormed(value), contentType: TEXT, stream: null };
  if (value === null || value === undefined) return { content: null, contentType: null, stream: null };
  const bytes = bytesOf(value);
  if (bytes !== null) return { content: bytes, contentType: null, stream: null };
  if (isParams(value)) {
    const contentType = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { content: `${value as string}`, contentType, stream: null };
  }
  const blobbed = partIfMade<Blobs>('blob')?.extract(value) ?? null;
  if (blobbed !== null) return { ...blobbed, stream: null };
  if (partIfMade<Streams>('streams')?.isReadable(value)) {
    const stream = value as ReadableStream;
    if (streams().isUsed(stream) || streams().isHeld(stream)) {
      throw new NativeTypeError('The stream was read already, or is locked: it cannot be a body');
    }
    return { content: null, contentType: null, stream };
  }
  return { content: stringWellFormed(`${value as string}`), contentType: TEXT, stream: null };
}

let paramsClass: (new () => unknown) | null = null;
/** Tells which class counts as URLSearchParams; it is made on first use only. */
export function recogniseParams(URLSearchParams: new () => unknown): void {
  paramsClass = URLSearchParams;
}
const isParams = (value: unknown): boolean => paramsClass !== null && value instanceof paramsClass;

export function contentFromWire(body: string | null, bodyEncoding: string): BodyContent {
  return body === null || bodyEncoding === 'utf8' ? body : base64Decode(body);
}

const USED = 'The body was already read; clone() before reading it twice.';

let contentOf: (body: Body) => BodyContent;
let streamOf: (body: Body) => ReadableStream | null;
let isThere: (body: Body) => boolean;
let isUsed: (body: Body) => boolean;
let copy: (body: Body) => ExtractedBody;
let move: (body: Body) => ExtractedBody;

/** Whether there is a body, read or not. */
export const hasBody = (body: Body): boolean => isThere(body);
export const isBodyUsed = (body: Body): boolean => isUsed(body);
/** What a clone has, while the original keeps its own. Throws a TypeError after it was read. */
export const clonedBody = (body: Body): ExtractedBody => copy(body);
/** Moves a body into another request: it counts as read here. Throws a TypeError after it was read. */
export const movedBody = (body: Body): ExtractedBody => move(body);

/** The content of the body of an answer where it is in memory, and else its stream. Throws a TypeError after it was read. */
export function outgoingBody(body: Body): { content: BodyContent; stream: ReadableStream | null } {
  const stream = streamOf(body);
  return { content: stream === null ? contentOf(body) : null, stream };
}

/** Reads a stream to its end, or until there are more bytes than `bytesMax`; see streams/bodies.ts. */
export const drainStream = (stream: ReadableStream, bytesMax: number, signal: AbortSignal): Promise<Drained> =>
  streams().readToEnd(stream, bytesMax, signal);

/** Sends an answer piece by piece; see streams/pieces.ts. */
export const sendStream = (invocation: Invocation, stream: ReadableStream, start: string): Promise<boolean> =>
  streams().sendPieces(invocation, stream, start);

/** The body of a request that comes piece by piece. */
export const incomingStream = (invocation: Invocation): ReadableStream => streams().streamOfRequest(invocation);

/** What Request and Response share: a body that is read once. */
export class Body {
  #content: BodyContent;
  #stream: ReadableStream | null;
  #used = false;

  constructor(content: BodyContent, stream: ReadableStream | null = null) {
    this.#content = content;
    this.#stream = stream;
  }

  static {
    contentOf = (body) => {
      if (body.#used) throw new NativeTypeError(USED);
      return body.#content;
    };
    streamOf = (body) => {
      const stream = body.#stream;
      if (stream !== null && (streams().isUsed(stream) || streams().isHeld(stream))) throw new NativeTypeError(USED);
      return stream;
    };
    isUsed = (body) => (body.#stream === null ? body.#used : streams().isUsed(body.#stream));
    isThere = (body) => body.#stream !== null || body.#content !== null;
    copy = (body) => {
      const stream = streamOf(body);
      if (stream === null) return { content: contentOf(body), contentType: null, stream: null };
      const branches = streams().teeBody(stream);
      body.#stream = branches[0];
      return { content: null, contentType: null, stream: branches[1] };
    };
    move = (body) => {
      const stream = streamOf(body);
      if (stream !== null) return { content: null, contentType: null, stream: streams().movedStream(stream) };
      const content = contentOf(body);
      body.#used = content !== null;
      return { content, contentType: null, stream: null };
    };
  }

  get body(): ReadableStream | null {
    if (this.#stream === null && this.#content !== null) {
      const content = this.#content;
      // What was read before cannot be read again by the stream.
      if (this.#used) this.#stream = streams().spentStream();
      else this.#stream = streams().streamOfBytes(typeof content === 'string' ? utf8Encode(content) : content);
      this.#content = null;
    }
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return isUsed(this);
  }

  async text(): Promise<string> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    if (content === null) return '';
    if (typeof content !== 'string') return withoutMark(utf8Decode(content, false));
    return withoutMark(content);
  }

  async json(): Promise<unknown> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    return jsonParse(
      withoutMark(content === null ? '' : typeof content === 'string' ? content : utf8Decode(content, false)),
    );
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    return typedArrayBuffer(ownBytes(content));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    return ownBytes(content);
  }

  async blob(): Promise<Blob> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    return takePart<Blobs>('blob').blobOfBody(ownBytes(content), contentTypeOf(this));
  }

  async formData(): Promise<FormData> {
    const content = this.#stream === null ? this.#take() : (await this.#read()).bytes;
    return takePart<Blobs>('blob').readForm(ownBytes(content), contentTypeOf(this));
  }

  #take(): BodyContent {
    const content = contentOf(this);
    // An absent body can be read as often as one likes.
    this.#used = content !== null;
    return content;
  }

  #read(): Promise<Drained> {
    return streams().readToEnd(streamOf(this)!, Infinity);
  }
}

function ownBytes(content: BodyContent): Uint8Array<ArrayBuffer> {
  if (content === null) return new NativeUint8Array(0);
  return typeof content === 'string' ? utf8Encode(content) : copyOfBytes(content);
}

const contentTypeOf = (body: Body): string | null =>
  (body as unknown as { headers: { get(name: string): string | null } }).headers.get('content-type');

/** Decoding removes a byte-order mark. */
const withoutMark = (text: string): string => (charCodeAt(text, 0) === 0xfeff ? stringSlice(text, 1) : text);
