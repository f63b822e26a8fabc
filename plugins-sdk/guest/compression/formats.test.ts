import { constants, deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { Compressor, Decompressor, type Format } from './formats.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const FORMATS: Format[] = ['gzip', 'deflate', 'deflate-raw'];
const READ = { gzip: gunzipSync, deflate: inflateSync, 'deflate-raw': inflateRawSync };
const WRITE = { gzip: gzipSync, deflate: deflateSync, 'deflate-raw': deflateRawSync };

function compress(format: Format, chunks: Uint8Array[]): Buffer {
  const pieces: Bytes[] = [];
  const compressor = new Compressor(format);
  for (const chunk of chunks) compressor.push(new Uint8Array(chunk), (piece) => pieces.push(piece));
  compressor.end((piece) => pieces.push(piece));
  return Buffer.concat(pieces);
}

function decompress(format: Format, chunks: Uint8Array[]): { bytes: Buffer; largest: number } {
  const pieces: Bytes[] = [];
  const decompressor = new Decompressor(format);
  for (const chunk of chunks) {
    decompressor.put(new Uint8Array(chunk));
    for (let piece = decompressor.next(); piece !== null; piece = decompressor.next()) pieces.push(piece);
  }
  decompressor.end();
  return { bytes: Buffer.concat(pieces), largest: Math.max(0, ...pieces.map(({ length }) => length)) };
}

/** Bytes with repetitions near and far, as text has, cut anywhere. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.nat(400)).map(([part, times]) => {
        return Uint8Array.from({ length: part.length * times }, (_, at) => part[at % part.length]!);
      }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts));

/** The same bytes in pieces of `size`. */
const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

const MEGABYTE = Buffer.alloc(1_000_000, 'a line of text that is written again and again, number 0123456789\n');

describe('compression', () => {
  for (const format of FORMATS) {
    it(`writes ${format} that zlib reads`, () => {
      fc.assert(
        fc.property(repetitive, fc.integer({ min: 1, max: 5_000 }), (bytes, size) => {
          expect(READ[format](compress(format, cut(bytes, size))).equals(bytes)).to.equal(true);
        }),
        { numRuns: 60 },
      );
    });

    it(`reads ${format} that zlib writes, however it is cut`, () => {
      const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE];
      const option = fc.record({ level: fc.constantFrom(0, 1, 6, 9), strategy: fc.constantFrom(...strategies) });
      fc.assert(
        fc.property(repetitive, option, fc.integer({ min: 1, max: 300 }), (bytes, options, size) => {
          expect(decompress(format, cut(WRITE[format](bytes, options), size)).bytes.equals(bytes)).to.equal(true);
        }),
        { numRuns: 60 },
      );
    });

    it(`refuses ${format} with a bit changed, cut off or continued, or gives what zlib gives`, () => {
      const bytes = Buffer.from('some text, some text, and other text'.repeat(20));
      const whole = WRITE[format](bytes);
      expect(() => decompress(format, [whole.subarray(0, -1)])).to.throw(TypeError, 'too early');
      expect(() => decompress(format, [whole, new Uint8Array(1)])).to.throw(TypeError, 'follows');
      for (let bit = 0; bit < whole.length * 8; bit += 1) {
        const changed = Buffer.from(whole);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        let expected: Buffer | null = null;
        try {
          expected = READ[format](changed);
        } catch {}
        let found: Buffer | null = null;
        try {
          found = decompress(format, [changed]).bytes;
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
        }
        // zlib takes what follows the end of raw bytes for nobody's; here it is an error.
        if (found !== null || format !== 'deflate-raw') expect(found?.toString()).to.equal(expected?.toString());
      }
    });
  }

  it('makes text small and does not make noise much larger', () => {
    expect(compress('gzip', [MEGABYTE]).length).to.be.below(10_000);
    const noise = Uint8Array.from(
      { length: 200_000 },
      (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 13) ^ (at * at),
    );
    expect(compress('gzip', [noise]).length).to.be.below(noise.length + 200);
  });

  it('gives pieces of bounded size, whatever the bytes become', () => {
    const { bytes, largest } = decompress('gzip', [gzipSync(Buffer.alloc(20_000_000))]);
    expect(bytes.length).to.equal(20_000_000);
    expect(largest).to.be.below(70_000);
  });

  it('reads heads with names, comments, further fields and their checksum', () => {
    const head = [0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 110, 0, 99, 0];
    const rest = gzipSync('x').subarray(10);
    expect(decompress('gzip', cut(Buffer.concat([Buffer.from(head), rest]), 1)).bytes.toString()).to.equal('x');
  });
});
