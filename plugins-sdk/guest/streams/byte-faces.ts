import { isView, NativeTypeError } from '../primordials.ts';
import { webClass } from '../web-class.ts';
import { isDetached, sizeOfBuffer, viewFacts } from './buffers.ts';
import type { ByobOffer, ByteController } from './byte-controller.ts';
import { enforceRange } from './strategies.ts';

const BY_RUNTIME = {};
const assertByRuntime = (key: unknown): void => {
  if (key !== BY_RUNTIME) throw new NativeTypeError('Illegal constructor: a stream makes it');
};

export class ReadableStreamBYOBRequest {
  readonly #offer: ByobOffer;

  constructor(key: unknown, offer: ByobOffer) {
    assertByRuntime(key);
    this.#offer = offer;
  }
  get view(): Uint8Array | null {
    return this.#offer.view;
  }
  respond(bytesWritten: number): void {
    const { controller, view } = this.#offer;
    const bytes = enforceRange(bytesWritten, 'bytesWritten');
    if (controller === null) throw new NativeTypeError('The request was answered or has lapsed');
    if (isDetached(viewFacts(view!).buffer)) throw new NativeTypeError('The buffer of the view was given away');
    controller.respond(bytes);
  }
  respondWithNewView(view: ArrayBufferView): void {
    const { controller } = this.#offer;
    if (!isView(view)) throw new NativeTypeError('respondWithNewView takes a view');
    if (controller === null) throw new NativeTypeError('The request was answered or has lapsed');
    if (isDetached(viewFacts(view).buffer)) throw new NativeTypeError('The buffer of the view was given away');
    controller.respondWithNewView(view);
  }
}
webClass(ReadableStreamBYOBRequest, 'ReadableStreamBYOBRequest');

export class ReadableByteStreamController {
  readonly #core: ByteController;
  #offer: ByobOffer | null = null;
  #request: ReadableStreamBYOBRequest | null = null;

  constructor(key: unknown, core: ByteController) {
    assertByRuntime(key);
    this.#core = core;
  }
  get byobRequest(): ReadableStreamBYOBRequest | null {
    const { offer } = this.#core;
    if (offer === null) return null;
    if (offer !== this.#offer || this.#request === null) {
      this.#offer = offer;
      this.#request = new ReadableStreamBYOBRequest(BY_RUNTIME, offer);
    }
    return this.#request;
  }
  get desiredSize(): number | null {
    return this.#core.desiredSize;
  }
  close(): void {
    if (!this.#core.takesMore) throw new NativeTypeError('The stream is not open: it cannot be closed');
    this.#core.close();
  }
  enqueue(chunk: ArrayBufferView): void {
    const core = this.#core;
    if (!isView(chunk)) throw new NativeTypeError('A byte stream takes views of an ArrayBuffer');
    const { buffer, byteLength } = viewFacts(chunk);
    if (byteLength === 0 || sizeOfBuffer(buffer) === 0) throw new NativeTypeError('The chunk is empty');
    if (!core.takesMore) throw new NativeTypeError('The stream is not open: nothing can be enqueued');
    core.enqueue(chunk);
  }
  error(reason: unknown = undefined): void {
    this.#core.error(reason);
  }
}
webClass(ReadableByteStreamController, 'ReadableByteStreamController');

export const faceOfBytes = (core: ByteController): ReadableByteStreamController =>
  new ReadableByteStreamController(BY_RUNTIME, core);
