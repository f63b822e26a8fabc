import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { expect } from 'chai';
import { readBody } from './read-body.ts';

describe('readBody', () => {
  const read = async (bytes: Buffer, encoding: string | null, bytesMax: number, chunkBytes = bytes.length) => {
    let held = 0;
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) =>
      bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes),
    );
    const grow = (more: number) => {
      held += more;
    };
    const body = await readBody(Readable.from(chunks, { objectMode: false }), encoding, bytesMax, { grow });
    return { body, held };
  };
  const codeOf = (answer: Promise<unknown>) =>
    answer.then(
      () => 'read',
      ({ code }) => code,
    );

  it('holds an answer that comes byte by byte as one that comes at once', async () => {
    const bytes = Buffer.from('grüße '.repeat(2_000));
    const { body, held } = await read(bytes, null, bytes.length, 1);
    expect(body.equals(bytes)).to.equal(true);
    expect(body.buffer.byteLength).to.equal(held);
    expect(held).to.equal(bytes.length);
    expect((await read(bytes, null, 1_000_000)).held).to.equal(bytes.length);
  });

  it('decodes up to the very limit, piece by piece and at once, and not a byte more', async () => {
    const bytes = Buffer.from('word '.repeat(2_000));
    const encoded = zlib.brotliCompressSync(zlib.gzipSync(bytes));
    for (const chunkBytes of [1, encoded.length]) {
      expect((await read(encoded, 'gzip, br', bytes.length, chunkBytes)).body.equals(bytes)).to.equal(true);
      const code = await codeOf(read(encoded, 'gzip, br', bytes.length - 1, chunkBytes));
      expect(code).to.equal('fetch-response-too-large');
    }
  });

  it('takes nothing for nothing, and refuses what is cut off', async () => {
    expect((await read(Buffer.alloc(0), 'gzip', 100, 1)).body).to.have.length(0);
    expect((await read(zlib.gzipSync(''), 'gzip, gzip', 100)).body).to.have.length(0);
    const cut = zlib.gzipSync('text').subarray(0, -4);
    expect(await codeOf(read(cut, 'gzip', 100))).to.equal('Z_BUF_ERROR');
  });
});
