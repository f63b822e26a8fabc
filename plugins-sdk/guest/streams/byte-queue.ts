import { min } from '../primordials.ts';
import { bytesIn, copyBytes, makeView, transferred, type ViewMaker } from './buffers.ts';
import { Queue } from './queue.ts';

/** A read that waits for bytes in a buffer of its own. */
export interface PullInto {
  buffer: ArrayBuffer;
  readonly bufferBytes: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  filled: number;
  readonly minimumFill: number;
  readonly elementSize: number;
  readonly Kind: ViewMaker;
  reader: 'default' | 'byob' | 'none';
}

/** What was read, as the kind of view that was asked for. */
export const viewOf = ({ Kind, buffer, byteOffset, filled, elementSize }: PullInto): ArrayBufferView =>
  makeView(Kind, transferred(buffer), byteOffset, filled / elementSize);

/** Bytes that wait for a reader, in the pieces in which they came. */
export class ByteQueue {
  readonly #pieces = new Queue<{ buffer: ArrayBuffer; byteOffset: number; byteLength: number }>();
  total = 0;

  put(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
    this.#pieces.push({ buffer, byteOffset, byteLength });
    this.total += byteLength;
  }

  /** The first piece; there is one. */
  take(): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = this.#pieces.shift();
    this.total -= byteLength;
    return bytesIn(buffer, byteOffset, byteLength);
  }

  /** Moves bytes into a read; true when it has enough. */
  fill(read: PullInto): boolean {
    const most = min(this.total, read.byteLength - read.filled);
    const reached = read.filled + most;
    const aligned = reached - (reached % read.elementSize);
    const isReady = aligned >= read.minimumFill;
    let left = isReady ? aligned - read.filled : most;
    while (left > 0) {
      const head = this.#pieces.peek();
      const bytes = min(left, head.byteLength);
      copyBytes(head.buffer, head.byteOffset, bytes, read.buffer, read.byteOffset + read.filled);
      if (head.byteLength === bytes) this.#pieces.shift();
      else {
        head.byteOffset += bytes;
        head.byteLength -= bytes;
      }
      this.total -= bytes;
      read.filled += bytes;
      left -= bytes;
    }
    return isReady;
  }

  clear(): void {
    this.#pieces.clear();
    this.total = 0;
  }
}
