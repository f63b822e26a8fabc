import { NativeArrayBuffer, NativeRangeError, NativeTypeError, NativeUint8Array } from '../primordials.ts';
import {
  bytesIn,
  clonedBuffer,
  isDetached,
  makeView,
  sizeOfBuffer,
  transferred,
  type ViewMaker,
  viewFacts,
} from './buffers.ts';
import { ByteQueue, type PullInto, viewOf } from './byte-queue.ts';
import { Pump, type Source } from './pump.ts';
import { Queue } from './queue.ts';
import {
  closeReadable,
  errorReadable,
  fulfilRead,
  hasByobReader,
  hasDefaultReader,
  type Readable,
  type ReadableController,
  type ReadRequest,
  waitingReads,
} from './readable.ts';

/** The standing offer to fill a reader's own buffer; without a controller it has lapsed. */
export interface ByobOffer {
  controller: ByteController | null;
  view: Uint8Array<ArrayBuffer> | null;
}

/** The standard's ReadableByteStreamController, step by step, without the face that plugins see. */
export class ByteController implements ReadableController {
  readonly stream: Readable;
  readonly #queue = new ByteQueue();
  readonly #pump: Pump;
  readonly #highWaterMark: number;
  readonly #autoAllocate: number | undefined;
  #pending = new Queue<PullInto>();
  #offer: ByobOffer | null = null;
  #closeRequested = false;

  constructor(stream: Readable, source: Source, highWaterMark: number, autoAllocate?: number) {
    this.stream = stream;
    this.#pump = new Pump(
      source,
      () => this.takesMore && (waitingReads(stream) > 0 || this.desiredSize! > 0),
      (reason) => this.error(reason),
    );
    this.#highWaterMark = highWaterMark;
    this.#autoAllocate = autoAllocate;
    stream.controller = this;
  }

  begin(): void {
    this.#pump.begin();
  }

  get desiredSize(): number | null {
    const { state } = this.stream;
    if (state === 'errored') return null;
    return state === 'closed' ? 0 : this.#highWaterMark - this.#queue.total;
  }

  get takesMore(): boolean {
    return !this.#closeRequested && this.stream.state === 'readable';
  }

  get offer(): ByobOffer | null {
    if (this.#offer === null && this.#pending.length > 0) {
      const first = this.#pending.peek();
      const view = bytesIn(first.buffer, first.byteOffset + first.filled, first.byteLength - first.filled);
      this.#offer = { controller: this, view };
    }
    return this.#offer;
  }

  /** A read into somebody's own buffer, or one that was, is not answered yet. */
  get isWaitedFor(): boolean {
    return this.#pending.length > 0;
  }

  close(): void {
    if (!this.takesMore) return;
    if (this.#queue.total > 0) {
      this.#closeRequested = true;
      return;
    }
    if (this.#pending.length > 0) {
      const first = this.#pending.peek();
      if (first.filled % first.elementSize !== 0) {
        const error = new NativeTypeError('The stream was closed in the middle of an element');
        this.error(error);
        throw error;
      }
    }
    this.#pump.forget();
    closeReadable(this.stream);
  }

  enqueue(chunk: ArrayBufferView): void {
    if (!this.takesMore) return;
    const { buffer, byteOffset, byteLength } = viewFacts(chunk);
    const taken = transferred(buffer);
    if (this.#pending.length > 0) {
      const first = this.#pending.peek();
      if (isDetached(first.buffer)) throw new NativeTypeError('The buffer of the waiting read was given away');
      this.#lapse();
      first.buffer = transferred(first.buffer);
      if (first.reader === 'none') this.#enqueueReleased(first);
    }
    if (hasDefaultReader(this.stream)) {
      this.#feedReads();
      if (waitingReads(this.stream) === 0) this.#queue.put(taken, byteOffset, byteLength);
      else {
        if (this.#pending.length > 0) this.#pending.shift();
        fulfilRead(this.stream, bytesIn(taken, byteOffset, byteLength), false);
      }
    } else {
      this.#queue.put(taken, byteOffset, byteLength);
      if (hasByobReader(this.stream)) this.#commitAll(this.#fillPending());
    }
    this.#pump.pullIfNeeded();
  }

  error(reason: unknown): void {
    if (this.stream.state !== 'readable') return;
    this.#clear();
    this.#pump.forget();
    errorReadable(this.stream, reason);
  }

  cancelSteps(reason: unknown): Promise<unknown> {
    this.#clear();
    return this.#pump.cancel(reason);
  }

  pullSteps(request: ReadRequest): void {
    if (this.#queue.total > 0) {
      this.#feed(request);
      return;
    }
    const byteLength = this.#autoAllocate;
    if (byteLength !== undefined) {
      let buffer: ArrayBuffer;
      try {
        buffer = new NativeArrayBuffer(byteLength);
      } catch (thrown) {
        request.error(thrown);
        return;
      }
      this.#pending.push({
        buffer,
        bufferBytes: byteLength,
        byteOffset: 0,
        byteLength,
        filled: 0,
        minimumFill: 1,
        elementSize: 1,
        Kind: NativeUint8Array as unknown as ViewMaker,
        reader: 'default',
      });
    }
    this.stream.reader!.requests.push(request);
    this.#pump.pullIfNeeded();
  }

  releaseSteps(): void {
    if (this.#pending.length === 0) return;
    const first = this.#pending.peek();
    first.reader = 'none';
    this.#pending.clear();
    this.#pending.push(first);
  }

  /** A read into `view`, whose buffer is taken; at least `least` elements. */
  pullInto(view: ArrayBufferView, least: number, request: ReadRequest): void {
    const { buffer, byteOffset, byteLength, elementSize, Kind } = viewFacts(view);
    let taken: ArrayBuffer;
    try {
      taken = transferred(buffer);
    } catch (thrown) {
      request.error(thrown);
      return;
    }
    const read: PullInto = {
      buffer: taken,
      bufferBytes: sizeOfBuffer(taken),
      byteOffset,
      byteLength,
      filled: 0,
      minimumFill: least * elementSize,
      elementSize,
      Kind,
      reader: 'byob',
    };
    const { requests } = this.stream.reader!;
    if (this.#pending.length > 0) {
      this.#pending.push(read);
      requests.push(request);
      return;
    }
    if (this.stream.state === 'closed') {
      request.close(makeView(Kind, taken, byteOffset, 0));
      return;
    }
    if (this.#queue.total > 0) {
      if (this.#queue.fill(read)) {
        const filled = viewOf(read);
        this.#afterTaking();
        request.chunk(filled);
        return;
      }
      if (this.#closeRequested) {
        const error = new NativeTypeError('The stream ended before enough bytes for an element came');
        this.error(error);
        request.error(error);
        return;
      }
    }
    this.#pending.push(read);
    requests.push(request);
    this.#pump.pullIfNeeded();
  }

  /** The offer was filled with so many bytes. */
  respond(bytes: number): void {
    const first = this.#pending.peek();
    if (this.stream.state === 'closed') {
      if (bytes !== 0) throw new NativeTypeError('The stream is closed: respond with 0 bytes');
    } else {
      if (bytes === 0) throw new NativeTypeError('Respond with at least one byte, or close the stream');
      if (first.filled + bytes > first.byteLength) throw new NativeRangeError('That is more than there is room for');
    }
    first.buffer = transferred(first.buffer);
    this.#responded(bytes);
  }

  /** The same, with a view of the same memory that was given away meanwhile. */
  respondWithNewView(view: ArrayBufferView): void {
    const first = this.#pending.peek();
    const { buffer, byteOffset, byteLength } = viewFacts(view);
    if (this.stream.state === 'closed') {
      if (byteLength !== 0) throw new NativeTypeError('The stream is closed: respond with an empty view');
    } else if (byteLength === 0) throw new NativeTypeError('Respond with at least one byte, or close the stream');
    if (first.byteOffset + first.filled !== byteOffset) throw new NativeRangeError('The view begins at another place');
    if (first.bufferBytes !== sizeOfBuffer(buffer)) throw new NativeRangeError('The buffer has another size');
    if (first.filled + byteLength > first.byteLength) throw new NativeRangeError('That is more than there is room for');
    first.buffer = transferred(buffer);
    this.#responded(byteLength);
  }

  #responded(bytes: number): void {
    const first = this.#pending.peek();
    this.#lapse();
    if (this.stream.state === 'closed') this.#respondClosed(first);
    else this.#respondReadable(bytes, first);
    this.#pump.pullIfNeeded();
  }

  #respondClosed(first: PullInto): void {
    if (first.reader === 'none') this.#pending.shift();
    if (!hasByobReader(this.stream)) return;
    const filled = new Queue<PullInto>();
    while (filled.length < waitingReads(this.stream)) filled.push(this.#pending.shift());
    this.#commitAll(filled);
  }

  #respondReadable(bytes: number, read: PullInto): void {
    read.filled += bytes;
    if (read.reader === 'none') {
      this.#enqueueReleased(read);
      this.#commitAll(this.#fillPending());
      return;
    }
    if (read.filled < read.minimumFill) return;
    this.#pending.shift();
    const rest = read.filled % read.elementSize;
    if (rest > 0) this.#enqueueClone(read.buffer, read.byteOffset + read.filled - rest, rest);
    read.filled -= rest;
    const filled = this.#fillPending();
    this.#commit(read);
    this.#commitAll(filled);
  }

  #commit(read: PullInto): void {
    fulfilRead(this.stream, viewOf(read), this.stream.state === 'closed');
  }

  #commitAll(reads: Queue<PullInto>): void {
    while (reads.length > 0) this.#commit(reads.shift());
  }

  #enqueueClone(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
    let clone: ArrayBuffer;
    try {
      clone = clonedBuffer(buffer, byteOffset, byteLength);
    } catch (thrown) {
      this.error(thrown);
      throw thrown;
    }
    this.#queue.put(clone, 0, byteLength);
  }

  /** What a reader that has gone had already got is the next one's. */
  #enqueueReleased(read: PullInto): void {
    if (read.filled > 0) this.#enqueueClone(read.buffer, read.byteOffset, read.filled);
    this.#pending.shift();
  }

  #fillPending(): Queue<PullInto> {
    const filled = new Queue<PullInto>();
    while (this.#pending.length > 0 && this.#queue.total > 0) {
      if (this.#queue.fill(this.#pending.peek())) filled.push(this.#pending.shift());
    }
    return filled;
  }

  #feed(request: ReadRequest): void {
    const bytes = this.#queue.take();
    this.#afterTaking();
    request.chunk(bytes);
  }

  #feedReads(): void {
    const { requests } = this.stream.reader!;
    while (requests.length > 0 && this.#queue.total > 0) this.#feed(requests.shift());
  }

  #afterTaking(): void {
    if (this.#queue.total === 0 && this.#closeRequested) {
      this.#pump.forget();
      closeReadable(this.stream);
    } else this.#pump.pullIfNeeded();
  }

  #lapse(): void {
    if (this.#offer === null) return;
    this.#offer.controller = null;
    this.#offer.view = null;
    this.#offer = null;
  }

  #clear(): void {
    this.#lapse();
    this.#pending.clear();
    this.#queue.clear();
  }
}
