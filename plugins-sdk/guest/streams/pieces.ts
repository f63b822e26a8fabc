import { PIECE_BYTES_MAX } from '../../contract/stream-calls.ts';
import { base64Decode, base64Encode } from '../base64.ts';
import { callHost, type Invocation, outputTooLarge } from '../invocation.ts';
import { copyOfBytes, isView, min, NativeTypeError, typedArrayKind } from '../primordials.ts';
import { bytesIn, viewFacts } from './buffers.ts';
import { ByteController } from './byte-controller.ts';
import { markHandled } from './promises.ts';
import { cancelReadable, nextChunk, Readable, Reader } from './readable.ts';
import { faceOfReadable, type ReadableStream, readableCore } from './readable-stream.ts';

/**
 * Sends an answer whose body is a stream, each chunk when the host has taken the last one. `start` is said with the first chunk, so
 * that what fails before it is still answered as a fault. Resolves with false where the invocation has ended on the way. Rejects
 * with what the stream fails with, and where a chunk is no Uint8Array.
 */
export async function sendPieces(invocation: Invocation, stream: ReadableStream, start: string): Promise<boolean> {
  const core = readableCore(stream);
  const reader = new Reader(core, false);
  const { outputBytes } = invocation.limits;
  let total = 0;
  let isStarted = false;
  for (;;) {
    const { value, done } = await nextChunk(reader);
    if (invocation.over) break;
    if (!isStarted) {
      isStarted = true;
      await callHost(invocation, 'response.start', start, 'pieces');
    }
    if (done) return !invocation.over;
    if (!isView(value) || typedArrayKind(value as unknown) !== 'Uint8Array') {
      const error = new NativeTypeError('A body is a stream of Uint8Array; this chunk is something else');
      markHandled(cancelReadable(core, error));
      throw error;
    }
    const { buffer, byteOffset, byteLength } = viewFacts(value);
    total += byteLength;
    if (total > outputBytes) {
      markHandled(cancelReadable(core, new NativeTypeError('The answer is longer than it may be')));
      outputTooLarge(invocation, total);
      return false;
    }
    // A copy: the plugin may go on writing into its buffer.
    const chunk = copyOfBytes(bytesIn(buffer, byteOffset, byteLength));
    for (let at = 0; at < byteLength && !invocation.over; at += PIECE_BYTES_MAX) {
      const piece = copyOfBytes(chunk, at, min(at + PIECE_BYTES_MAX, byteLength));
      await callHost(invocation, 'response.write', `{"piece":"${base64Encode(piece)}"}`, 'pieces');
    }
  }
  markHandled(cancelReadable(core, new NativeTypeError('The answer is over')));
  return false;
}

/** The body of a request that the host reads piece by piece, as this stream is read. */
export function streamOfRequest(invocation: Invocation): ReadableStream {
  const stream = new Readable();
  const pull = async (): Promise<undefined> => {
    const { piece } = (await callHost(invocation, 'request.read', '{}', 'pieces')) as { piece: string | null };
    const bytes = piece === null ? null : base64Decode(piece);
    if (bytes !== null) {
      controller.enqueue(bytes);
      return undefined;
    }
    controller.close();
    // Whoever waits with a buffer of his own gets it back.
    if (controller.isWaitedFor) controller.respond(0);
    return undefined;
  };
  const source = { start: () => undefined, pull, cancel: async () => undefined };
  const controller = new ByteController(stream, source, 0);
  controller.begin();
  return faceOfReadable(stream);
}
