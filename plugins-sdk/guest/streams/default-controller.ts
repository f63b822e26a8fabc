import { NativeTypeError } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { Pump, type Source } from './pump.ts';
import { SizedQueue } from './queue.ts';
import {
  closeReadable,
  errorReadable,
  fulfilRead,
  hasDefaultReader,
  type Readable,
  type ReadableController,
  type ReadRequest,
  waitingReads,
} from './readable.ts';
import type { SizeOf } from './strategies.ts';

/** The standard's ReadableStreamDefaultController, without the face that plugins see. */
export class DefaultController implements ReadableController {
  readonly #queue = new SizedQueue<unknown>();
  readonly #stream: Readable;
  readonly #highWaterMark: number;
  #sizeOf: SizeOf | null;
  readonly #pump: Pump;
  #closeRequested = false;

  constructor(stream: Readable, source: Source, highWaterMark: number, sizeOf: SizeOf) {
    this.#stream = stream;
    this.#pump = new Pump(
      source,
      () => this.takesMore && (waitingReads(stream) > 0 || this.desiredSize! > 0),
      (reason) => this.error(reason),
    );
    this.#highWaterMark = highWaterMark;
    this.#sizeOf = sizeOf;
    stream.controller = this;
  }

  /** Apart from the constructor, because `start` may use the controller. Throws what `start` throws. */
  begin(): void {
    this.#pump.begin();
  }

  get desiredSize(): number | null {
    const { state } = this.#stream;
    if (state === 'errored') return null;
    return state === 'closed' ? 0 : this.#highWaterMark - this.#queue.total;
  }

  get takesMore(): boolean {
    return !this.#closeRequested && this.#stream.state === 'readable';
  }

  /** Whether a sink behind it should wait. */
  get hasBackpressure(): boolean {
    return !this.#pump.shouldPull;
  }

  close(): void {
    if (!this.takesMore) return;
    this.#closeRequested = true;
    if (this.#queue.length === 0) {
      this.#forget();
      closeReadable(this.#stream);
    }
  }

  enqueue(chunk: unknown): void {
    if (!this.takesMore) return;
    if (hasDefaultReader(this.#stream) && waitingReads(this.#stream) > 0) fulfilRead(this.#stream, chunk, false);
    else {
      try {
        this.#queue.push(chunk, this.#sizeOf!(chunk));
      } catch (thrown) {
        this.error(thrown);
        throw thrown;
      }
    }
    this.#pump.pullIfNeeded();
  }

  error(reason: unknown): void {
    if (this.#stream.state !== 'readable') return;
    this.#queue.clear();
    this.#forget();
    errorReadable(this.#stream, reason);
  }

  cancelSteps(reason: unknown): Promise<unknown> {
    this.#queue.clear();
    const result = this.#pump.cancel(reason);
    this.#forget();
    return result;
  }

  pullSteps(request: ReadRequest): void {
    if (this.#queue.length === 0) {
      this.#stream.reader!.requests.push(request);
      this.#pump.pullIfNeeded();
      return;
    }
    const chunk = this.#queue.shift();
    if (this.#closeRequested && this.#queue.length === 0) {
      this.#forget();
      closeReadable(this.#stream);
    } else this.#pump.pullIfNeeded();
    request.chunk(chunk);
  }

  releaseSteps(): void {}

  /** Lets go of what the plugin gave, so that it can be collected. */
  #forget(): void {
    this.#pump.forget();
    this.#sizeOf = null;
  }
}

const BY_RUNTIME = {};

export class ReadableStreamDefaultController {
  readonly #core: DefaultController;

  constructor(key: unknown, core: DefaultController) {
    if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: a stream makes its controller');
    this.#core = core;
  }
  get desiredSize(): number | null {
    return this.#core.desiredSize;
  }
  close(): void {
    if (!this.#core.takesMore) throw new NativeTypeError('The stream is not open: it cannot be closed');
    this.#core.close();
  }
  enqueue(chunk: unknown = undefined): void {
    if (!this.#core.takesMore) throw new NativeTypeError('The stream is not open: nothing can be enqueued');
    this.#core.enqueue(chunk);
  }
  error(reason: unknown = undefined): void {
    this.#core.error(reason);
  }
}
webClass(ReadableStreamDefaultController, 'ReadableStreamDefaultController');

export const faceOfDefault = (core: DefaultController): ReadableStreamDefaultController =>
  new ReadableStreamDefaultController(BY_RUNTIME, core);
