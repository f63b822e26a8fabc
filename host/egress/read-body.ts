import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { EgressRefusal, tooLarge } from './egress-refusal.ts';

const DECODERS: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
};

/** What the host tells servers that it can read. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** Encodings on top of each other: each can multiply the size by a thousand. */
const ENCODINGS_MAX = 2;

/**
 * Reads a body to its end and decodes it. Bytes are counted before and behind every decoder, piece by piece, so a bomb
 * never becomes large in memory. Refuses with: fetch-response-too-large, fetch-failed.
 */
export async function readBody(body: Readable, contentEncoding: string | null, bytesMax: number): Promise<Buffer> {
  const encodings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (encodings.length > ENCODINGS_MAX || !encodings.every((name) => Object.hasOwn(DECODERS, name))) {
    discard(body);
    throw new EgressRefusal('fetch-failed', 'The answer is encoded in a way that was not asked for.');
  }
  const counted = () => countedTo(bytesMax);
  const decoders = encodings.toReversed().flatMap((name) => [DECODERS[name]!(), counted()]);
  const chunks: Buffer[] = [];
  const keep = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  };
  // The list is made at run time, which the types of `pipeline` cannot follow.
  await pipeline([body, counted(), ...decoders, keep] as unknown as [Readable, NodeJS.WritableStream]);
  return Buffer.concat(chunks);
}

const countedTo = (bytesMax: number) =>
  async function* count(source: AsyncIterable<Buffer>) {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      yield chunk;
    }
  };

/** Ends a body that nobody will read. Without a listener its own destruction would end the host. */
export const discard = (body: Readable): void => void body.on('error', () => {}).destroy();
