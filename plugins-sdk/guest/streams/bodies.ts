import { type AbortSignal, offAbort, onAbort } from '../abort.ts';
import {
  bytesSet,
  copyOfBytes,
  isView,
  min,
  NativeTypeError,
  NativeUint8Array,
  typedArrayBytes,
  typedArrayKind,
} from '../primordials.ts';
import { bytesIn, viewFacts } from './buffers.ts';
import { ByteController } from './byte-controller.ts';
import { DefaultController } from './default-controller.ts';
import { markHandled, resolvedWith } from './promises.ts';
import { Queue } from './queue.ts';
import { cancelByReader, cancelReadable, closeReadable, isLocked, nextChunk, Readable, Reader } from './readable.ts';
import { faceOfReadable, type ReadableStream, readableCore } from './readable-stream.ts';
import { teeReadable } from './tee.ts';

/** Pieces of this size are what a reader gets of bytes in memory. */
const PIECE_BYTES = 64 * 1024;

/** A byte stream over bytes in memory, which it copies piece by piece. */
export function streamOfBytes(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  const stream = new Readable();
  let at = 0;
  const length = typedArrayBytes(bytes);
  const pull = (): Promise<undefined> => {
    if (at < length) {
      const to = min(at + PIECE_BYTES, length);
      controller.enqueue(copyOfBytes(bytes, at, to));
      at = to;
    }
    if (at >= length) {
      controller.close();
      // Whoever waits with a buffer of his own gets it back.
      if (controller.isWaitedFor) controller.respond(0);
    }
    return resolvedWith(undefined);
  };
  const source = { start: () => undefined, pull, cancel: () => resolvedWith(undefined) };
  const controller = new ByteController(stream, source, 0);
  controller.begin();
  return faceOfReadable(stream);
}

/** The stream of a body that was read in another way: at its end, and held for ever. */
export function spentStream(): ReadableStream {
  const face = streamOfBytes(new NativeUint8Array(0));
  const stream = readableCore(face);
  stream.isDisturbed = true;
  closeReadable(stream);
  void new Reader(stream, false);
  return face;
}

/** The rest of a stream, by which the stream itself is held from now on. */
export function movedStream(stream: ReadableStream): ReadableStream {
  const reader = new Reader(readableCore(stream), false);
  const moved = new Readable();
  const pull = async (): Promise<undefined> => {
    const { value, done } = await nextChunk(reader);
    if (done) controller.close();
    else controller.enqueue(value);
    return undefined;
  };
  const source = { start: () => undefined, pull, cancel: (reason: unknown) => cancelByReader(reader, reason) };
  const controller = new DefaultController(moved, source, 0, () => 1);
  reader.stream!.isDisturbed = true;
  controller.begin();
  return faceOfReadable(moved);
}

/** Whether somebody has read of it, cancelled it or holds it. */
export const isUsed = (stream: ReadableStream): boolean => readableCore(stream).isDisturbed;
export const isHeld = (stream: ReadableStream): boolean => isLocked(readableCore(stream));

/** Two bodies of one; the second has bytes of its own. */
export function teeBody(stream: ReadableStream): [ReadableStream, ReadableStream] {
  const branches = teeReadable(readableCore(stream), true);
  return [faceOfReadable(branches[0]), faceOfReadable(branches[1])];
}

/** What was read, where it was not too long. Without a prototype, as all that promises of ours resolve with. */
export interface Drained {
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  readonly length: number;
}

/**
 * Reads a stream to its end and puts its chunks together. With more than `bytesMax` it is cancelled, and `length` says how many bytes
 * there were by then; an abort of `signal` cancels it too, and is its end. Rejects with what the stream fails with, and where a chunk is no Uint8Array.
 */
export async function readToEnd(stream: ReadableStream, bytesMax: number, signal?: AbortSignal): Promise<Drained> {
  const core = readableCore(stream);
  const reader = new Reader(core, false);
  const stop = (): void => markHandled(cancelReadable(core, signal!.reason));
  if (signal !== undefined) onAbort(signal, stop);
  try {
    // Awaited: of a promise that is returned, `then` is looked up, which plugins may replace.
    return await readChunks(core, reader, bytesMax);
  } finally {
    if (signal !== undefined) offAbort(signal, stop);
  }
}

async function readChunks(core: ReturnType<typeof readableCore>, reader: Reader, bytesMax: number): Promise<Drained> {
  const chunks = new Queue<Uint8Array>();
  let total = 0;
  for (;;) {
    const { value, done } = await nextChunk(reader);
    if (done) return { __proto__: null, bytes: joined(chunks, total), length: total } as Drained;
    if (!isView(value) || typedArrayKind(value as unknown) !== 'Uint8Array') {
      const error = new NativeTypeError('A body is a stream of Uint8Array; this chunk is something else');
      markHandled(cancelReadable(core, error));
      throw error;
    }
    const { buffer, byteOffset, byteLength } = viewFacts(value);
    total += byteLength;
    if (total > bytesMax) {
      markHandled(cancelReadable(core, new NativeTypeError('The body is longer than it may be')));
      return { __proto__: null, bytes: null, length: total } as Drained;
    }
    // A copy: the source may fill its buffer again for the next chunk.
    if (byteLength > 0) chunks.push(copyOfBytes(bytesIn(buffer, byteOffset, byteLength)));
  }
}

function joined(chunks: Queue<Uint8Array>, total: number): Uint8Array<ArrayBuffer> {
  const bytes = new NativeUint8Array(total);
  let at = 0;
  while (chunks.length > 0) {
    const chunk = chunks.shift();
    bytesSet(bytes, chunk, at);
    at += typedArrayBytes(chunk);
  }
  return bytes;
}
