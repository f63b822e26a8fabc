import { isView, NativeRangeError, NativeTypeError } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { isDetached, sizeOfBuffer, viewFacts } from './buffers.ts';
import { ByteController } from './byte-controller.ts';
import { Deferred, promiseOf } from './promises.ts';
import {
  cancelByReader,
  RELEASED,
  type Readable,
  Reader,
  type ReadRequest,
  readFrom,
  releaseReader,
} from './readable.ts';
import { enforceRange, optionsOf } from './strategies.ts';

export type ReadResult = { value: unknown; done: boolean };

function requestOf(read: Deferred<ReadResult>): ReadRequest {
  return {
    chunk: (value) => read.resolve({ value, done: false }),
    close: (value) => read.resolve({ value, done: true }),
    error: (reason) => read.reject(reason),
  };
}

/** Finds the stream behind a ReadableStream; given by the file that has the class. */
export type CoreOf = (stream: unknown) => Readable;
let coreOf: CoreOf;
export function learnStreams(find: CoreOf): void {
  coreOf = find;
}

export class ReadableStreamDefaultReader {
  readonly #core: Reader;

  constructor(stream: unknown) {
    this.#core = new Reader(coreOf(stream), false);
  }
  get closed(): Promise<undefined> {
    return promiseOf(() => this.#core.closed.promise);
  }
  cancel(reason: unknown = undefined): Promise<undefined> {
    return promiseOf(() => cancelByReader(this.#core, reason));
  }
  read(): Promise<ReadResult> {
    return promiseOf(() => {
      if (this.#core.stream === null) throw new NativeTypeError(RELEASED);
      const read = new Deferred<ReadResult>();
      readFrom(this.#core, requestOf(read));
      return read.promise;
    });
  }
  releaseLock(): void {
    if (this.#core.stream !== null) releaseReader(this.#core);
  }
}
webClass(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader');

export class ReadableStreamBYOBReader {
  readonly #core: Reader;

  constructor(stream: unknown) {
    const core = coreOf(stream);
    if (core.reader === null && !(core.controller instanceof ByteController)) {
      throw new NativeTypeError('Only a stream of type "bytes" has a reader of mode "byob"');
    }
    this.#core = new Reader(core, true);
  }
  get closed(): Promise<undefined> {
    return promiseOf(() => this.#core.closed.promise);
  }
  cancel(reason: unknown = undefined): Promise<undefined> {
    return promiseOf(() => cancelByReader(this.#core, reason));
  }
  read(view: ArrayBufferView, options: unknown = undefined): Promise<ReadResult> {
    return promiseOf(() => {
      const core = this.#core;
      if (!isView(view)) throw new NativeTypeError('read takes a view to read into');
      const { buffer, byteLength, length } = viewFacts(view);
      const given = optionsOf(options, 'The options of read')?.min;
      const least = given === undefined ? 1 : enforceRange(given, 'min');
      if (byteLength === 0 || sizeOfBuffer(buffer) === 0) throw new NativeTypeError('The view has no room');
      if (isDetached(buffer)) throw new NativeTypeError('The buffer of the view was given away');
      if (least === 0) throw new NativeTypeError('min must be more than 0');
      if (least > length) throw new NativeRangeError('min is more than the view has room for');
      if (core.stream === null) throw new NativeTypeError(RELEASED);
      const read = new Deferred<ReadResult>();
      readInto(core, view, least, requestOf(read));
      return read.promise;
    });
  }
  releaseLock(): void {
    if (this.#core.stream !== null) releaseReader(this.#core);
  }
}
webClass(ReadableStreamBYOBReader, 'ReadableStreamBYOBReader');

export function readInto(reader: Reader, view: ArrayBufferView, least: number, request: ReadRequest): void {
  const stream = reader.stream!;
  stream.isDisturbed = true;
  if (stream.state === 'errored') request.error(stream.storedError);
  else (stream.controller as ByteController).pullInto(view, least, request);
}
