import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { EgressRefusal, tooLarge } from './egress-refusal.ts';
import type { HeldBody } from './held-bodies.ts';

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const gunzip: Decode = promisify(zlib.gunzip);
const DECODERS: Record<string, Decode> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: promisify(zlib.inflate),
  br: promisify(zlib.brotliDecompress),
};

/** What the host tells servers that it can read. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** Encodings on top of each other: each can multiply the size by a thousand. */
const ENCODINGS_MAX = 2;

/**
 * Reads a body to its end and decodes it. Bytes are counted before and behind every decoder, so a bomb never becomes large in
 * memory; what comes before the end is told to `held`. Refuses with: fetch-response-too-large, fetch-failed.
 */
export async function readBody(
  body: Readable,
  contentEncoding: string | null,
  bytesMax: number,
  held: Pick<HeldBody, 'grow'>,
): Promise<Buffer> {
  const encodings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (encodings.length > ENCODINGS_MAX || !encodings.every((name) => Object.hasOwn(DECODERS, name))) {
    discard(body);
    throw new EgressRefusal('fetch-failed', 'The answer is encoded in a way that was not asked for.');
  }
  let bytes = await gather(body, bytesMax, held);
  for (const encoding of encodings.toReversed()) {
    if (bytes.length === 0) break;
    bytes = await DECODERS[encoding]!(bytes, { maxOutputLength: bytesMax }).catch((error) => {
      throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(bytesMax) : error;
    });
  }
  return bytes;
}

/** One buffer that grows: a list of pieces takes a hundred times their bytes where they come one by one, and so does decoding them in time. */
async function gather(body: Readable, bytesMax: number, held: Pick<HeldBody, 'grow'>): Promise<Buffer> {
  let buffer = Buffer.alloc(0);
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    const needed = bytes + chunk.length;
    if (needed > bytesMax) return void body.destroy(tooLarge(bytesMax));
    if (needed > buffer.length) {
      const size = Math.min(bytesMax, Math.max(needed, 2 * buffer.length));
      held.grow(size - buffer.length);
      if (body.destroyed) return;
      const grown = Buffer.allocUnsafeSlow(size);
      buffer.copy(grown, 0, 0, bytes);
      buffer = grown;
    }
    chunk.copy(buffer, bytes);
    bytes = needed;
  });
  await finished(body);
  return buffer.subarray(0, bytes);
}

/** Ends a body that nobody will read. Without a listener its own destruction would end the host. */
export const discard = (body: Readable): void => void body.on('error', () => {}).destroy();
