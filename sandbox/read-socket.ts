import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const BUFFER_BYTES = 64 * 1024;

/** What Node.js keeps of the descriptor beneath a socket. */
interface Handle {
  reading: boolean;
  readStop(): void;
}

/**
 * Calls `onBytes` with what a child process writes to one of its pipes; the bytes are good until it returns. Streams take 64 KiB of fresh
 * memory for every read, and give most of it back: 8 of 40 us of a light invocation. A socket that is told at first where to put
 * what it reads does not, so the descriptor moves to such a one. Both close when either does.
 */
export function readSocket(socket: Duplex, onBytes: (bytes: Buffer) => void): void {
  const given = socket as Duplex & { _handle?: Handle | null };
  const handle = given._handle;
  // Not documented, so it may go away; then streams have to do.
  if (!handle?.readStop) {
    socket.on('data', onBytes);
    return;
  }
  handle.readStop();
  handle.reading = false;
  given._handle = null;
  const onread = {
    buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback: (count: number, buffer: Uint8Array) => {
      onBytes((buffer as Buffer).subarray(0, count));
      return true;
    },
  };
  const reading = new Socket({ handle: handle as never, onread });
  reading.on('error', () => {});
  reading.once('close', () => socket.destroy());
  socket.once('close', () => reading.destroy());
}
