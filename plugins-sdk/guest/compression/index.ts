import { bytesOf } from '../bytes.ts';
import { takePart } from '../parts.ts';
import { NativeTypeError } from '../primordials.ts';
import type { ReadableStream } from '../streams/readable-stream.ts';
import type { WritableStream } from '../streams/writable-stream.ts';
import { webClass } from '../web-class.ts';
import { Compressor, Decompressor, type Format } from './formats.ts';

type Streams = typeof import('../streams/converter.ts');
type Bytes = Uint8Array<ArrayBuffer>;

function formatOf(given: unknown): Format {
  const format = `${given as string}`;
  if (format === 'gzip' || format === 'deflate' || format === 'deflate-raw') return format;
  throw new NativeTypeError(`The format is gzip, deflate or deflate-raw, not "${format}"`);
}

function bytesIn(chunk: unknown): Bytes {
  const bytes = bytesOf(chunk);
  if (bytes === null) throw new NativeTypeError('Chunks must be an ArrayBuffer or a view of one');
  return bytes;
}

export class CompressionStream {
  readonly #converter: InstanceType<Streams['Converter']>;

  constructor(format: unknown) {
    const compressor = new Compressor(formatOf(format));
    const { Converter } = takePart<Streams>('streams');
    this.#converter = new Converter({
      convert: (chunk, put) => {
        compressor.push(bytesIn(chunk), put);
        return undefined;
      },
      flush: (put) => compressor.end(put),
    });
  }
  get readable(): ReadableStream {
    return this.#converter.readable;
  }
  get writable(): WritableStream {
    return this.#converter.writable;
  }
}
webClass(CompressionStream, 'CompressionStream');

export class DecompressionStream {
  readonly #converter: InstanceType<Streams['Converter']>;

  constructor(format: unknown) {
    const decompressor = new Decompressor(formatOf(format));
    const { Converter } = takePart<Streams>('streams');
    this.#converter = new Converter({
      convert: (chunk, put, room) => {
        decompressor.put(bytesIn(chunk));
        return this.#takeOut(decompressor, put, room);
      },
      flush: () => decompressor.end(),
    });
  }

  /** A few bytes can become many: the next piece is made when there is room for it. */
  async #takeOut(
    from: Decompressor,
    put: (piece: Bytes) => void,
    room: () => Promise<undefined> | null,
  ): Promise<undefined> {
    for (let piece = from.next(); piece !== null; piece = from.next()) {
      const waited = room();
      if (waited !== null) await waited;
      put(piece);
    }
    return undefined;
  }
  get readable(): ReadableStream {
    return this.#converter.readable;
  }
  get writable(): WritableStream {
    return this.#converter.writable;
  }
}
webClass(DecompressionStream, 'DecompressionStream');
