import { AbortSignal } from '../abort.ts';
import { apply, NativeRangeError, NativeTypeError, symbolAsyncIterator } from '../primordials.ts';
import { aliasMethod, webClass } from '../web-class.ts';
import { ByteController } from './byte-controller.ts';
import { faceOfBytes } from './byte-faces.ts';
import { DefaultController, faceOfDefault } from './default-controller.ts';
import { iterate, streamOfIterable } from './iterate.ts';
import { type PipeOptions, pipe } from './pipe.ts';
import { markHandled, promiseOf, resolvedWith } from './promises.ts';
import type { Source } from './pump.ts';
import { cancelReadable, isLocked, Readable } from './readable.ts';
import { learnStreams, ReadableStreamBYOBReader, ReadableStreamDefaultReader } from './readers.ts';
import {
  enforceRange,
  highWaterMarkOf,
  isObject,
  type Method,
  methodOf,
  optionsOf,
  type Strategy,
  sizeOfOne,
  strategyOf,
} from './strategies.ts';
import { teeReadable } from './tee.ts';
import { type WritableStream, writableCore } from './writable-stream.ts';

const FROM_CORE = {};
let coreOf: (stream: unknown) => Readable;

export class ReadableStream {
  readonly #core: Readable;

  constructor(underlyingSource: unknown = undefined, strategy: unknown = undefined) {
    if (underlyingSource === FROM_CORE) {
      this.#core = strategy as Readable;
      return;
    }
    if (underlyingSource !== undefined && !isObject(underlyingSource)) {
      throw new NativeTypeError('A source must be an object');
    }
    this.#core = new Readable();
    setUp(this.#core, underlyingSource, strategyOf(strategy));
  }
  static {
    coreOf = (stream) => (stream as ReadableStream).#core;
  }

  static from(iterable: unknown): ReadableStream {
    return faceOfReadable(streamOfIterable(iterable));
  }
  get locked(): boolean {
    return isLocked(this.#core);
  }
  cancel(reason: unknown = undefined): Promise<undefined> {
    return promiseOf(() => {
      if (isLocked(this.#core)) throw new NativeTypeError('The stream is locked: cancel it by its reader');
      return cancelReadable(this.#core, reason);
    });
  }
  getReader(options: unknown = undefined): ReadableStreamDefaultReader | ReadableStreamBYOBReader {
    void this.#core;
    const mode = optionsOf(options, 'The options of getReader')?.mode;
    if (mode === undefined) return new ReadableStreamDefaultReader(this);
    if (`${mode as string}` !== 'byob')
      throw new NativeTypeError(`mode is "byob" or left out, not "${mode as string}"`);
    return new ReadableStreamBYOBReader(this);
  }
  pipeThrough(
    transform: { readable: ReadableStream; writable: WritableStream },
    options: unknown = undefined,
  ): ReadableStream {
    const core = this.#core;
    const pair = optionsOf(transform, 'A transform');
    const readable = pair?.readable as ReadableStream;
    if (!isReadable(readable)) throw new NativeTypeError('transform.readable must be a ReadableStream');
    const writable = writableCore(pair?.writable);
    const chosen = pipeOptions(options);
    if (isLocked(core)) throw new NativeTypeError('The stream is locked');
    if (writable.writer !== null) throw new NativeTypeError('transform.writable is locked');
    markHandled(pipe(core, writable, chosen));
    return readable;
  }
  pipeTo(destination: WritableStream, options: unknown = undefined): Promise<undefined> {
    return promiseOf(() => {
      const core = this.#core;
      const writable = writableCore(destination);
      const chosen = pipeOptions(options);
      if (isLocked(core)) throw new NativeTypeError('The stream is locked');
      if (writable.writer !== null) throw new NativeTypeError('The destination is locked');
      return pipe(core, writable, chosen);
    });
  }
  tee(): [ReadableStream, ReadableStream] {
    const branches = teeReadable(this.#core, false);
    return [faceOfReadable(branches[0]), faceOfReadable(branches[1])];
  }
  values(options: unknown = undefined): object {
    const core = this.#core;
    const preventCancel = optionsOf(options, 'The options of values')?.preventCancel;
    return iterate(core, !!preventCancel);
  }
}
webClass(ReadableStream, 'ReadableStream');
aliasMethod(ReadableStream.prototype, symbolAsyncIterator, 'values');
learnStreams(coreOf);

function setUp(core: Readable, source: unknown, strategy: Strategy): void {
  const options = optionsOf(source, 'A source');
  const given = options?.autoAllocateChunkSize;
  const autoAllocate = given === undefined ? undefined : enforceRange(given, 'autoAllocateChunkSize');
  const cancel = methodOf(options, 'cancel');
  const pull = methodOf(options, 'pull');
  const start = methodOf(options, 'start');
  const type = options?.type;
  if (type !== undefined && `${type as string}` !== 'bytes') {
    throw new NativeTypeError(`type is "bytes" or left out, not "${type as string}"`);
  }
  const call = (method: Method | undefined, args: unknown[]): Promise<unknown> =>
    method === undefined ? resolvedWith(undefined) : promiseOf(() => resolvedWith(apply(method, source, args)));
  const calls = (face: object): Source => ({
    start: () => (start === undefined ? undefined : apply(start, source, [face])),
    pull: () => call(pull, [face]),
    cancel: (reason) => call(cancel, [reason]),
  });
  if (type === undefined) {
    const sizeOf = strategy.size ?? sizeOfOne;
    const controller = new DefaultController(
      core,
      late(() => calls(face)),
      highWaterMarkOf(strategy, 1),
      sizeOf,
    );
    const face = faceOfDefault(controller);
    controller.begin();
    return;
  }
  if (strategy.size !== undefined) throw new NativeRangeError('A byte stream has no size function');
  const highWaterMark = highWaterMarkOf(strategy, 0);
  if (autoAllocate === 0) throw new NativeTypeError('autoAllocateChunkSize must be more than 0');
  const controller = new ByteController(
    core,
    late(() => calls(face)),
    highWaterMark,
    autoAllocate,
  );
  const face = faceOfBytes(controller);
  controller.begin();
}

/** A source that needs the face of a controller that needs the source. */
function late(make: () => Source): Source {
  let made: Source | null = null;
  const source = (): Source => {
    made ??= make();
    return made;
  };
  return {
    start: () => source().start(),
    pull: () => source().pull(),
    cancel: (reason) => source().cancel(reason),
  };
}

function pipeOptions(value: unknown): PipeOptions {
  const options = optionsOf(value, 'The options of pipeTo');
  const preventAbort = !!options?.preventAbort;
  const preventCancel = !!options?.preventCancel;
  const preventClose = !!options?.preventClose;
  const signal = options?.signal as AbortSignal | undefined;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new NativeTypeError('signal must be an AbortSignal');
  return { preventAbort, preventCancel, preventClose, signal };
}

/** Whether it is a ReadableStream and not only looks like one. */
export function isReadable(value: unknown): value is ReadableStream {
  try {
    coreOf(value);
    return true;
  } catch {
    return false;
  }
}

export const readableCore = (stream: unknown): Readable => coreOf(stream);
export const faceOfReadable = (core: Readable): ReadableStream => new ReadableStream(FROM_CORE, core);
