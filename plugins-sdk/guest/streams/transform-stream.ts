import { apply, NativeRangeError, NativeTypeError, promiseThen } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { DefaultController } from './default-controller.ts';
import { Deferred, promiseOf, resolvedWith, upon } from './promises.ts';
import { Readable } from './readable.ts';
import { faceOfReadable, type ReadableStream } from './readable-stream.ts';
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
import { Writable } from './writable.ts';
import { faceOfWritable, type WritableStream } from './writable-stream.ts';

/** What is done with chunks on their way. None of these throws; they reject. */
export interface Transformer {
  transform(chunk: unknown): Promise<unknown>;
  flush(): Promise<unknown>;
  cancel(reason: unknown): Promise<unknown>;
}

interface Sizes {
  writableMark: number;
  writableSize: SizeOf;
  readableMark: number;
  readableSize: SizeOf;
}

const USUAL: Sizes = { writableMark: 1, writableSize: sizeOfOne, readableMark: 0, readableSize: sizeOfOne };

/** A transform stream as the standard describes it, its controller included. */
export class Transform {
  readonly readable = new Readable();
  readonly writable: Writable;
  readonly #out: DefaultController;
  #transformer: Transformer | null;
  #hasBackpressure = false;
  #changed: Deferred<undefined> | null = null;
  #finished: Deferred<undefined> | null = null;

  constructor(transformer: Transformer, start: Promise<unknown>, sizes: Sizes = USUAL) {
    this.#transformer = transformer;
    const sink = {
      start: () => start,
      write: (chunk: unknown) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason: unknown) => this.#abort(reason),
    };
    const source = {
      start: () => start,
      pull: () => {
        this.#setBackpressure(false);
        return this.#changed!.promise;
      },
      cancel: (reason: unknown) => this.#cancel(reason),
    };
    this.writable = new Writable(sink, sizes.writableMark, sizes.writableSize);
    this.writable.begin();
    this.#out = new DefaultController(this.readable, source, sizes.readableMark, sizes.readableSize);
    this.#out.begin();
    this.#setBackpressure(true);
  }

  get desiredSize(): number | null {
    return this.#out.desiredSize;
  }

  /** Null where the readable side wants more, else when it does. */
  room(): Promise<undefined> | null {
    return this.#hasBackpressure ? this.#changed!.promise : null;
  }

  enqueue(chunk: unknown): void {
    if (!this.#out.takesMore) throw new NativeTypeError('The readable side is not open: nothing can be enqueued');
    try {
      this.#out.enqueue(chunk);
    } catch (thrown) {
      this.#failWritable(thrown);
      throw this.readable.storedError;
    }
    if (this.#out.hasBackpressure !== this.#hasBackpressure) this.#setBackpressure(true);
  }

  error(reason: unknown): void {
    this.#out.error(reason);
    this.#failWritable(reason);
  }

  terminate(): void {
    this.#out.close();
    this.#failWritable(new NativeTypeError('The stream was terminated'));
  }

  #failWritable(reason: unknown): void {
    this.#transformer = null;
    this.writable.errorIfNeeded(reason);
    if (this.#hasBackpressure) this.#setBackpressure(false);
  }

  #setBackpressure(backpressure: boolean): void {
    this.#changed?.resolve(undefined);
    this.#changed = new Deferred();
    this.#hasBackpressure = backpressure;
  }

  #perform(chunk: unknown): Promise<unknown> {
    return promiseThen(this.#transformer!.transform(chunk), undefined, (reason) => {
      this.error(reason);
      throw reason;
    });
  }

  #write(chunk: unknown): Promise<unknown> {
    if (!this.#hasBackpressure) return this.#perform(chunk);
    return promiseThen(this.#changed!.promise, () => {
      if (this.writable.state === 'erroring') throw this.writable.storedError;
      return this.#perform(chunk);
    });
  }

  /** Runs the last words of the transformer once, whichever side asks first. */
  #finish(
    last: (transformer: Transformer) => Promise<unknown>,
    settle: (done: Deferred<undefined>, failed: boolean, reason: unknown) => void,
  ): Promise<undefined> {
    if (this.#finished !== null) return this.#finished.promise;
    const done = new Deferred<undefined>();
    this.#finished = done;
    const result = last(this.#transformer!);
    this.#transformer = null;
    upon(
      result,
      () => settle(done, false, undefined),
      (reason) => settle(done, true, reason),
    );
    return done.promise;
  }

  #abort(reason: unknown): Promise<undefined> {
    return this.#finish(
      (transformer) => transformer.cancel(reason),
      (done, failed, failure) => {
        if (!failed && this.readable.state === 'errored') {
          done.reject(this.readable.storedError);
          return;
        }
        this.#out.error(failed ? failure : reason);
        if (failed) done.reject(failure);
        else done.resolve(undefined);
      },
    );
  }

  #close(): Promise<undefined> {
    return this.#finish(
      (transformer) => transformer.flush(),
      (done, failed, failure) => {
        if (failed) {
          this.#out.error(failure);
          done.reject(failure);
        } else if (this.readable.state === 'errored') done.reject(this.readable.storedError);
        else {
          this.#out.close();
          done.resolve(undefined);
        }
      },
    );
  }

  #cancel(reason: unknown): Promise<undefined> {
    return this.#finish(
      (transformer) => transformer.cancel(reason),
      (done, failed, failure) => {
        if (!failed && this.writable.state === 'errored') {
          done.reject(this.writable.storedError);
          return;
        }
        this.writable.errorIfNeeded(failed ? failure : reason);
        if (this.#hasBackpressure) this.#setBackpressure(false);
        if (failed) done.reject(failure);
        else done.resolve(undefined);
      },
    );
  }
}

const BY_RUNTIME = {};

export class TransformStreamDefaultController {
  readonly #core: () => Transform;

  constructor(key: unknown, core: () => Transform) {
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: a stream makes its controller');
    this.#core = core;
  }
  get desiredSize(): number | null {
    return this.#core().desiredSize;
  }
  enqueue(chunk: unknown = undefined): void {
    this.#core().enqueue(chunk);
  }
  error(reason: unknown = undefined): void {
    this.#core().error(reason);
  }
  terminate(): void {
    this.#core().terminate();
  }
}
webClass(TransformStreamDefaultController, 'TransformStreamDefaultController');

export class TransformStream {
  readonly #core: Transform;
  readonly #readable: ReadableStream;
  readonly #writable: WritableStream;

  constructor(
    transformer: unknown = undefined,
    writableStrategy: unknown = undefined,
    readableStrategy: unknown = undefined,
  ) {
    if (transformer !== undefined && !isObject(transformer))
      throw new NativeTypeError('A transformer must be an object');
    const writableGiven = strategyOf(writableStrategy);
    const readableGiven = strategyOf(readableStrategy);
    const options = optionsOf(transformer, 'A transformer');
    const cancel = methodOf(options, 'cancel');
    const flush = methodOf(options, 'flush');
    const readableType = options?.readableType;
    const start = methodOf(options, 'start');
    const transform = methodOf(options, 'transform');
    const writableType = options?.writableType;
    if (readableType !== undefined || writableType !== undefined)
      throw new NativeRangeError('A transformer has no types');
    const sizes: Sizes = {
      readableMark: highWaterMarkOf(readableGiven, 0),
      readableSize: readableGiven.size ?? sizeOfOne,
      writableMark: highWaterMarkOf(writableGiven, 1),
      writableSize: writableGiven.size ?? sizeOfOne,
    };
    const call = (method: Method, args: unknown[]): Promise<unknown> =>
      promiseOf(() => resolvedWith(apply(method, transformer, args)));
    const controller = new TransformStreamDefaultController(BY_RUNTIME, () => core);
    const calls: Transformer = {
      transform: (chunk) => {
        if (transform !== undefined) return call(transform, [chunk, controller]);
        return promiseOf(() => {
          core.enqueue(chunk);
          return resolvedWith(undefined);
        });
      },
      flush: () => (flush === undefined ? resolvedWith(undefined) : call(flush, [controller])),
      cancel: (reason) => (cancel === undefined ? resolvedWith(undefined) : call(cancel, [reason])),
    };
    const started = new Deferred<unknown>();
    const core = new Transform(calls, started.promise, sizes);
    this.#core = core;
    this.#readable = faceOfReadable(core.readable);
    this.#writable = faceOfWritable(core.writable);
    started.resolve(start === undefined ? undefined : apply(start, transformer, [controller]));
  }
  get readable(): ReadableStream {
    void this.#core;
    return this.#readable;
  }
  get writable(): WritableStream {
    return this.#writable;
  }
}
webClass(TransformStream, 'TransformStream');
