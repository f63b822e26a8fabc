import type { AbortSignal } from '../abort.ts';
import { apply, NativeRangeError, NativeTypeError } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { promiseOf, rejectedWith, resolvedWith } from './promises.ts';
import {
  highWaterMarkOf,
  isObject,
  type Method,
  methodOf,
  optionsOf,
  type SizeOf,
  sizeOfOne,
  strategyOf,
} from './strategies.ts';
import { closeByWriter, releaseWriter, type Sink, Writable, Writer } from './writable.ts';

const FROM_CORE = {};
let coreOf: (stream: unknown) => Writable;

export class WritableStreamDefaultController {
  readonly #core: Writable;

  constructor(key: unknown, core: Writable) {
    if (key !== FROM_CORE) throw new NativeTypeError('Illegal constructor: a stream makes its controller');
    this.#core = core;
  }
  get signal(): AbortSignal {
    return this.#core.abortController.signal;
  }
  error(reason: unknown = undefined): void {
    this.#core.errorIfNeeded(reason);
  }
}
webClass(WritableStreamDefaultController, 'WritableStreamDefaultController');

export class WritableStreamDefaultWriter {
  readonly #core: Writer;

  constructor(stream: unknown) {
    this.#core = new Writer(coreOf(stream));
  }
  get closed(): Promise<undefined> {
    return promiseOf(() => this.#core.closed.promise);
  }
  get desiredSize(): number | null {
    const { stream } = this.#core;
    if (stream === null) throw new NativeTypeError('The writer was released');
    if (stream.state === 'errored' || stream.state === 'erroring') return null;
    return stream.state === 'closed' ? 0 : stream.desiredSize;
  }
  get ready(): Promise<undefined> {
    return promiseOf(() => this.#core.ready.promise);
  }
  abort(reason: unknown = undefined): Promise<undefined> {
    return promiseOf(
      () => this.#core.stream?.abort(reason) ?? rejectedWith(new NativeTypeError('The writer was released')),
    );
  }
  close(): Promise<undefined> {
    return promiseOf(() => closeByWriter(this.#core));
  }
  releaseLock(): void {
    if (this.#core.stream !== null) releaseWriter(this.#core);
  }
  write(chunk: unknown = undefined): Promise<undefined> {
    return promiseOf(() => {
      const { stream } = this.#core;
      if (stream === null) throw new NativeTypeError('The writer was released');
      return stream.write(this.#core, chunk);
    });
  }
}
webClass(WritableStreamDefaultWriter, 'WritableStreamDefaultWriter');

export class WritableStream {
  readonly #core: Writable;

  constructor(underlyingSink: unknown = undefined, strategy: unknown = undefined) {
    if (underlyingSink === FROM_CORE) {
      this.#core = strategy as Writable;
      return;
    }
    const sink = underlyingSink === undefined ? null : underlyingSink;
    if (underlyingSink !== undefined && !isObject(underlyingSink))
      throw new NativeTypeError('A sink must be an object');
    const given = strategyOf(strategy);
    const options = optionsOf(sink, 'A sink');
    const abort = methodOf(options, 'abort');
    const close = methodOf(options, 'close');
    const start = methodOf(options, 'start');
    const type = options?.type;
    const write = methodOf(options, 'write');
    if (type !== undefined) throw new NativeRangeError('A sink has no type');
    const sizeOf: SizeOf = given.size ?? sizeOfOne;
    const call = (method: Method | undefined, args: unknown[]): Promise<unknown> =>
      method === undefined ? resolvedWith(undefined) : promiseOf(() => resolvedWith(apply(method, sink, args)));
    const calls: Sink = {
      start: () => (start === undefined ? undefined : apply(start, sink, [controller])),
      write: (chunk) => call(write, [chunk, controller]),
      close: () => call(close, []),
      abort: (reason) => call(abort, [reason]),
    };
    this.#core = new Writable(calls, highWaterMarkOf(given, 1), sizeOf);
    const controller = new WritableStreamDefaultController(FROM_CORE, this.#core);
    this.#core.begin();
  }
  static {
    coreOf = (stream) => (stream as WritableStream).#core;
  }

  get locked(): boolean {
    return this.#core.writer !== null;
  }
  abort(reason: unknown = undefined): Promise<undefined> {
    return promiseOf(() => {
      if (this.#core.writer !== null) throw new NativeTypeError('The stream is locked: abort it by its writer');
      return this.#core.abort(reason);
    });
  }
  close(): Promise<undefined> {
    return promiseOf(() => {
      if (this.#core.writer !== null) throw new NativeTypeError('The stream is locked: close it by its writer');
      if (this.#core.isClosing) throw new NativeTypeError('The stream is closing already');
      return this.#core.close();
    });
  }
  getWriter(): WritableStreamDefaultWriter {
    void this.#core;
    return new WritableStreamDefaultWriter(this);
  }
}
webClass(WritableStream, 'WritableStream');

export const writableCore = (stream: unknown): Writable => coreOf(stream);
export const faceOfWritable = (core: Writable): WritableStream => new WritableStream(FROM_CORE, core);
