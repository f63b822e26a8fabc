/**
 * Frames between host and cordon: `u32le head bytes, u32le tail bytes, head, tail`. The head is a small JSON object that
 * both ends may look into; the tail is text that is passed on as it is, so that a plugin's JSON is never encoded twice.
 */
const HEADER_BYTES = 8;
const START_BYTES = 64 * 1024;
/** A buffer that one large frame has grown is given back when it is larger than this. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Over every limit that a plan can grant (8 MiB bodies, base64 and JSON included). */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** Heads are small objects of the sandbox's own making; parsing takes no noticeable time. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** Below this length three bytes for each UTF-16 unit are reserved instead of counting them first. */
const UNCOUNTED_UNITS_MAX = 16 * 1024;

export class FrameFault extends Error {
  override name = 'FrameFault';
}

/** Collects frames, so that everything said in one tick leaves in one write. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(START_BYTES);
  #bytes = 0;

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  add(head: object, tail = ''): void {
    const text = JSON.stringify(head);
    const tailBytesMax = tail.length > UNCOUNTED_UNITS_MAX ? Buffer.byteLength(tail) : tail.length * 3;
    this.#reserve(HEADER_BYTES + text.length * 3 + tailBytesMax);
    const at = this.#bytes;
    const headBytes = this.#buffer.write(text, at + HEADER_BYTES, 'utf8');
    const tailAt = at + HEADER_BYTES + headBytes;
    const tailBytes = tail === '' ? 0 : this.#buffer.write(tail, tailAt, 'utf8');
    this.#buffer.writeUInt32LE(headBytes, at);
    this.#buffer.writeUInt32LE(tailBytes, at + 4);
    this.#bytes = tailAt + tailBytes;
  }

  /** What was added since the last call: a view that is good until the next `add`. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#bytes);
    this.#bytes = 0;
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(START_BYTES);
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#bytes);
    this.#buffer = grown;
  }
}

/** Puts frames together again, however the stream was cut. */
export class FrameReader {
  #held: Buffer | null = null;
  #heldBytes = 0;
  readonly #onFrame: (head: unknown, tail: string) => void;

  constructor(onFrame: (head: unknown, tail: string) => void) {
    this.#onFrame = onFrame;
  }

  /** Calls back for each frame that `chunk` completes. Throws FrameFault on bytes that are no frame: the stream is lost. */
  push(chunk: Buffer): void {
    let at = this.#held ? this.#fill(chunk) : 0;
    while (at < chunk.length) {
      const frameBytes = chunk.length - at < HEADER_BYTES ? HEADER_BYTES : frameBytesAt(chunk, at);
      if (chunk.length - at < frameBytes) {
        this.#hold(chunk, at, frameBytes);
        return;
      }
      this.#deliver(chunk, at);
      at += frameBytes;
    }
  }

  /** Completes the frame that is held; returns how much of `chunk` that took. */
  #fill(chunk: Buffer): number {
    let at = 0;
    for (;;) {
      const held = this.#held as Buffer;
      const copied = chunk.copy(held, this.#heldBytes, at, at + held.length - this.#heldBytes);
      at += copied;
      this.#heldBytes += copied;
      if (this.#heldBytes < held.length) return at;
      const frameBytes = frameBytesAt(held, 0);
      if (frameBytes === held.length) {
        this.#held = null;
        this.#deliver(held, 0);
        return at;
      }
      this.#hold(held, 0, frameBytes);
    }
  }

  #hold(from: Buffer, at: number, frameBytes: number): void {
    const held = Buffer.allocUnsafeSlow(frameBytes);
    this.#heldBytes = from.copy(held, 0, at);
    this.#held = held;
  }

  #deliver(buffer: Buffer, at: number): void {
    const headAt = at + HEADER_BYTES;
    const tailAt = headAt + buffer.readUInt32LE(at);
    const tailBytes = buffer.readUInt32LE(at + 4);
    let head: unknown;
    try {
      head = JSON.parse(buffer.toString('utf8', headAt, tailAt));
    } catch {
      throw new FrameFault('a frame has a head that is not JSON');
    }
    this.#onFrame(head, tailBytes === 0 ? '' : buffer.toString('utf8', tailAt, tailAt + tailBytes));
  }
}

function frameBytesAt(buffer: Buffer, at: number): number {
  const headBytes = buffer.readUInt32LE(at);
  const bytes = HEADER_BYTES + headBytes + buffer.readUInt32LE(at + 4);
  if (headBytes > HEAD_BYTES_MAX) throw new FrameFault(`a head of ${headBytes} bytes is over ${HEAD_BYTES_MAX}`);
  if (bytes > FRAME_BYTES_MAX) throw new FrameFault(`a frame of ${bytes} bytes is over ${FRAME_BYTES_MAX}`);
  return bytes;
}
