import { AbortController } from '../abort.ts';
import { NativeTypeError } from '../primordials.ts';
import {
  Deferred,
  markHandled,
  rejectedDeferred,
  rejectedWith,
  resolvedDeferred,
  resolvedWith,
  upon,
} from './promises.ts';
import { Queue, SizedQueue } from './queue.ts';
import type { SizeOf } from './strategies.ts';

/** Where chunks go. None of these throws; they reject. */
export interface Sink {
  start(): unknown;
  write(chunk: unknown): Promise<unknown>;
  close(): Promise<unknown>;
  abort(reason: unknown): Promise<unknown>;
}

interface PendingAbort {
  done: Deferred<undefined>;
  reason: unknown;
  wasErroring: boolean;
}

export class Writer {
  stream: Writable | null;
  ready: Deferred<undefined>;
  closed: Deferred<undefined>;

  constructor(stream: Writable) {
    if (stream.writer !== null) throw new NativeTypeError('The stream is locked: it has a writer');
    this.stream = stream;
    stream.writer = this;
    const { state, storedError } = stream;
    if (state === 'writable' && !stream.isClosing && stream.backpressure) this.ready = new Deferred();
    else if (state === 'writable' || state === 'closed') this.ready = resolvedDeferred(undefined);
    else this.ready = rejectedDeferred(storedError);
    if (state === 'closed') this.closed = resolvedDeferred(undefined);
    else if (state === 'errored') this.closed = rejectedDeferred(storedError);
    else this.closed = new Deferred();
  }

  rejectReady(reason: unknown): void {
    if (this.ready.isPending) {
      markHandled(this.ready.promise);
      this.ready.reject(reason);
    } else this.ready = rejectedDeferred(reason);
  }
  rejectClosed(reason: unknown): void {
    if (this.closed.isPending) {
      markHandled(this.closed.promise);
      this.closed.reject(reason);
    } else this.closed = rejectedDeferred(reason);
  }
}

const CLOSE = {};

/** A writable stream and its controller as the standard describes them; plugins see faces of both. */
export class Writable {
  state: 'writable' | 'closed' | 'erroring' | 'errored' = 'writable';
  storedError: unknown = undefined;
  backpressure = false;
  writer: Writer | null = null;
  readonly abortController = new AbortController();
  readonly #queue = new SizedQueue<unknown>();
  readonly #highWaterMark: number;
  #sink: Sink | null;
  #sizeOf: SizeOf | null;
  #isStarted = false;
  #writes = new Queue<Deferred<undefined>>();
  #writing: Deferred<undefined> | null = null;
  #closeRequest: Deferred<undefined> | null = null;
  #closing: Deferred<undefined> | null = null;
  #pendingAbort: PendingAbort | null = null;

  constructor(sink: Sink, highWaterMark: number, sizeOf: SizeOf) {
    this.#sink = sink;
    this.#highWaterMark = highWaterMark;
    this.#sizeOf = sizeOf;
  }

  /** Throws what `start` throws. */
  begin(): void {
    this.#updateBackpressure();
    upon(
      resolvedWith(this.#sink!.start()),
      () => {
        this.#isStarted = true;
        this.#advance();
      },
      (reason) => {
        this.#isStarted = true;
        this.#fail(reason);
      },
    );
  }

  /** A close was asked for or is going on. */
  get isClosing(): boolean {
    return this.#closeRequest !== null || this.#closing !== null;
  }
  get desiredSize(): number {
    return this.#highWaterMark - this.#queue.total;
  }

  abort(reason: unknown): Promise<undefined> {
    if (this.state === 'closed' || this.state === 'errored') return resolvedWith(undefined);
    this.abortController.abort(reason);
    // Listeners have run.
    const state = this.state as Writable['state'];
    if (state === 'closed' || state === 'errored') return resolvedWith(undefined);
    if (this.#pendingAbort !== null) return this.#pendingAbort.done.promise;
    const wasErroring = state === 'erroring';
    const done = new Deferred<undefined>();
    this.#pendingAbort = { done, reason: wasErroring ? undefined : reason, wasErroring };
    if (!wasErroring) this.#startErroring(reason);
    return done.promise;
  }

  close(): Promise<undefined> {
    if (this.state === 'closed' || this.state === 'errored') {
      return rejectedWith(new NativeTypeError(`The stream is ${this.state}: it cannot be closed`));
    }
    const request = new Deferred<undefined>();
    this.#closeRequest = request;
    if (this.writer !== null && this.backpressure && this.state === 'writable') this.writer.ready.resolve(undefined);
    this.#queue.push(CLOSE, 0);
    this.#advance();
    return request.promise;
  }

  write(writer: Writer, chunk: unknown): Promise<undefined> {
    const size = this.#sizeOfChunk(chunk);
    if (writer.stream !== this) return rejectedWith(new NativeTypeError('The writer was released'));
    if (this.state === 'errored') return rejectedWith(this.storedError);
    if (this.isClosing || this.state === 'closed') {
      return rejectedWith(new NativeTypeError('The stream is closing or closed: nothing can be written'));
    }
    if (this.state === 'erroring') return rejectedWith(this.storedError);
    const written = new Deferred<undefined>();
    this.#writes.push(written);
    try {
      this.#queue.push(chunk, size);
    } catch (thrown) {
      this.errorIfNeeded(thrown);
      return written.promise;
    }
    if (!this.isClosing && (this.state as Writable['state']) === 'writable') this.#updateBackpressure();
    this.#advance();
    return written.promise;
  }

  errorIfNeeded(reason: unknown): void {
    if (this.state !== 'writable') return;
    this.#forget();
    this.#startErroring(reason);
  }

  #sizeOfChunk(chunk: unknown): number {
    if (this.#sizeOf === null) return 1;
    try {
      return this.#sizeOf(chunk);
    } catch (thrown) {
      this.errorIfNeeded(thrown);
      return 1;
    }
  }

  #forget(): void {
    this.#sink = null;
    this.#sizeOf = null;
  }

  #updateBackpressure(): void {
    const backpressure = this.desiredSize <= 0;
    const { writer } = this;
    if (writer !== null && backpressure !== this.backpressure) {
      if (backpressure) writer.ready = new Deferred();
      else writer.ready.resolve(undefined);
    }
    this.backpressure = backpressure;
  }

  #advance(): void {
    if (!this.#isStarted || this.#writing !== null) return;
    if (this.state === 'erroring') this.#finishErroring();
    else if (this.#queue.length > 0) {
      if (this.#queue.peek() === CLOSE) this.#processClose();
      else this.#processWrite(this.#queue.peek());
    }
  }

  #processClose(): void {
    this.#closing = this.#closeRequest;
    this.#closeRequest = null;
    this.#queue.shift();
    const closed = this.#sink!.close();
    this.#forget();
    upon(
      closed,
      () => this.#finishClose(),
      (reason) => {
        this.#closing!.reject(reason);
        this.#closing = null;
        this.#pendingAbort?.done.reject(reason);
        this.#pendingAbort = null;
        this.#fail(reason);
      },
    );
  }

  #finishClose(): void {
    this.#closing!.resolve(undefined);
    this.#closing = null;
    if (this.state === 'erroring') {
      this.storedError = undefined;
      this.#pendingAbort?.done.resolve(undefined);
      this.#pendingAbort = null;
    }
    this.state = 'closed';
    this.writer?.closed.resolve(undefined);
  }

  #processWrite(chunk: unknown): void {
    this.#writing = this.#writes.shift();
    upon(
      this.#sink!.write(chunk),
      () => {
        this.#writing!.resolve(undefined);
        this.#writing = null;
        this.#queue.shift();
        if (!this.isClosing && this.state === 'writable') this.#updateBackpressure();
        this.#advance();
      },
      (reason) => {
        if (this.state === 'writable') this.#forget();
        this.#writing!.reject(reason);
        this.#writing = null;
        this.#fail(reason);
      },
    );
  }

  #fail(reason: unknown): void {
    if (this.state === 'writable') this.#startErroring(reason);
    else this.#finishErroring();
  }

  #startErroring(reason: unknown): void {
    this.state = 'erroring';
    this.storedError = reason;
    this.writer?.rejectReady(reason);
    if (this.#writing === null && this.#closing === null && this.#isStarted) this.#finishErroring();
  }

  #finishErroring(): void {
    this.state = 'errored';
    this.#queue.clear();
    const { storedError } = this;
    while (this.#writes.length > 0) this.#writes.shift().reject(storedError);
    const abort = this.#pendingAbort;
    this.#pendingAbort = null;
    if (abort === null) {
      this.#rejectClosed();
      return;
    }
    if (abort.wasErroring) {
      abort.done.reject(storedError);
      this.#rejectClosed();
      return;
    }
    const sink = this.#sink;
    const aborted = sink === null ? resolvedWith(undefined) : sink.abort(abort.reason);
    this.#forget();
    upon(
      aborted,
      () => {
        abort.done.resolve(undefined);
        this.#rejectClosed();
      },
      (reason) => {
        abort.done.reject(reason);
        this.#rejectClosed();
      },
    );
  }

  #rejectClosed(): void {
    this.#closeRequest?.reject(this.storedError);
    this.#closeRequest = null;
    this.writer?.rejectClosed(this.storedError);
  }
}

export function closeByWriter(writer: Writer): Promise<undefined> {
  const { stream } = writer;
  if (stream === null) return rejectedWith(new NativeTypeError('The writer was released'));
  if (stream.isClosing) return rejectedWith(new NativeTypeError('The stream is closing already'));
  return stream.close();
}

export function releaseWriter(writer: Writer): void {
  const reason = new NativeTypeError('The writer was released');
  writer.rejectReady(reason);
  writer.rejectClosed(reason);
  writer.stream!.writer = null;
  writer.stream = null;
}
