import { NativeTypeError } from '../primordials.ts';
import { Deferred, markHandled, rejectedDeferred, rejectedWith, resolvedDeferred } from './promises.ts';
import { Queue } from './queue.ts';

/** What waits for a chunk. `close` gets the emptied view of a reader that brings its own buffer. */
export interface ReadRequest {
  chunk(chunk: unknown): void;
  close(view?: ArrayBufferView): void;
  error(reason: unknown): void;
}

export interface ReadableController {
  cancelSteps(reason: unknown): Promise<unknown>;
  pullSteps(request: ReadRequest): void;
  releaseSteps(): void;
}

/** A reader that brings its own buffer waits in the same list: a stream has one reader, of one kind. */
export class Reader {
  stream: Readable | null;
  closed: Deferred<undefined>;
  requests = new Queue<ReadRequest>();
  readonly isByob: boolean;

  constructor(stream: Readable, isByob: boolean) {
    if (stream.reader !== null) throw new NativeTypeError('The stream is locked: it has a reader');
    this.stream = stream;
    this.isByob = isByob;
    stream.reader = this;
    if (stream.state === 'readable') this.closed = new Deferred();
    else if (stream.state === 'closed') this.closed = resolvedDeferred(undefined);
    else this.closed = rejectedDeferred(stream.storedError);
  }
}

/** A readable stream as the standard describes it; plugins see a ReadableStream around it. */
export class Readable {
  state: 'readable' | 'closed' | 'errored' = 'readable';
  storedError: unknown = undefined;
  isDisturbed = false;
  reader: Reader | null = null;
  controller!: ReadableController;
}

export const isLocked = (stream: Readable): boolean => stream.reader !== null;
export const hasDefaultReader = ({ reader }: Readable): boolean => reader !== null && !reader.isByob;
export const hasByobReader = ({ reader }: Readable): boolean => reader?.isByob === true;
/** How many reads wait. */
export const waitingReads = ({ reader }: Readable): number => (reader === null ? 0 : reader.requests.length);

export function fulfilRead(stream: Readable, chunk: unknown, isDone: boolean): void {
  const request = stream.reader!.requests.shift();
  if (isDone) request.close(chunk as ArrayBufferView);
  else request.chunk(chunk);
}

export function closeReadable(stream: Readable): void {
  stream.state = 'closed';
  const { reader } = stream;
  if (reader === null) return;
  reader.closed.resolve(undefined);
  if (!reader.isByob) settleAll(reader, (request) => request.close());
}

export function errorReadable(stream: Readable, reason: unknown): void {
  stream.state = 'errored';
  stream.storedError = reason;
  const { reader } = stream;
  if (reader === null) return;
  markHandled(reader.closed.promise);
  reader.closed.reject(reason);
  settleAll(reader, (request) => request.error(reason));
}

function settleAll(reader: Reader, settle: (request: ReadRequest) => void): void {
  const { requests } = reader;
  reader.requests = new Queue();
  while (requests.length > 0) settle(requests.shift());
}

export async function cancelReadable(stream: Readable, reason: unknown): Promise<undefined> {
  stream.isDisturbed = true;
  if (stream.state === 'closed') return undefined;
  if (stream.state === 'errored') throw stream.storedError;
  closeReadable(stream);
  const { reader } = stream;
  if (reader?.isByob) settleAll(reader, (request) => request.close());
  await stream.controller.cancelSteps(reason);
  return undefined;
}

export function readFrom(reader: Reader, request: ReadRequest): void {
  const stream = reader.stream!;
  stream.isDisturbed = true;
  if (stream.state === 'closed') request.close();
  else if (stream.state === 'errored') request.error(stream.storedError);
  else stream.controller.pullSteps(request);
}

export const RELEASED = 'The reader was released';

export function releaseReader(reader: Reader): void {
  const stream = reader.stream!;
  if (stream.state === 'readable') {
    markHandled(reader.closed.promise);
    reader.closed.reject(new NativeTypeError(RELEASED));
  } else reader.closed = rejectedDeferred(new NativeTypeError(RELEASED));
  markHandled(reader.closed.promise);
  stream.controller.releaseSteps();
  stream.reader = null;
  reader.stream = null;
  const reason = new NativeTypeError('The reader was released before the read was done');
  settleAll(reader, (request) => request.error(reason));
}

export interface NextChunk {
  readonly value: unknown;
  readonly done: boolean;
}

/**
 * The next chunk as a promise, for code of ours. What it resolves with has no prototype: promises ask objects for `then`, and a
 * plugin may have planted one on Object.prototype.
 */
export function nextChunk(reader: Reader): Promise<NextChunk> {
  const read = new Deferred<NextChunk>();
  readFrom(reader, {
    chunk: (value) => read.resolve({ __proto__: null, value, done: false } as NextChunk),
    close: () => read.resolve({ __proto__: null, value: undefined, done: true } as NextChunk),
    error: (reason) => read.reject(reason),
  });
  return read.promise;
}

export const cancelByReader = ({ stream }: Reader, reason: unknown): Promise<undefined> =>
  stream === null ? rejectedWith(new NativeTypeError(RELEASED)) : cancelReadable(stream, reason);
