import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { extract, type Header } from 'tar-stream';
import { gzipTar, writeArchive, writeTar } from './write-archive.ts';

const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,12}$/);
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const files = fc.dictionary(name, fc.uint8Array({ maxLength: 2_000 }), { maxKeys: 12, noNullPrototype: true });

async function readEntries(archive: Buffer): Promise<{ header: Header; bytes: Buffer }[]> {
  const reader = extract();
  reader.end(gunzipSync(archive));
  const entries: { header: Header; bytes: Buffer }[] = [];
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ header: entry.header, bytes: Buffer.concat(chunks) });
  }
  return entries;
}

describe('writeArchive', () => {
  it('gives the same bytes in whatever order the files were read', () =>
    fc.assert(
      fc.asyncProperty(
        files.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(Object.keys(all), { minLength: Object.keys(all).length })),
        ),
        async ([all, order]) => {
          const shuffled = Object.fromEntries(order.map((each) => [each, all[each]!]));
          expect((await writeArchive(shuffled)).equals(await writeArchive(all))).to.equal(true);
        },
      ),
    ));

  it('keeps names and contents, and nothing else', () =>
    fc.assert(
      fc.asyncProperty(files, async (all) => {
        const entries = await readEntries(await writeArchive(all));
        expect(entries.map(({ header }) => header.name)).to.deep.equal(Object.keys(all).sort());
        for (const { header, bytes } of entries) {
          expect(bytes.equals(Buffer.from(all[header.name]!))).to.equal(true);
          expect([header.type, header.mode, header.uid, header.gid, header.mtime?.getTime()]).to.deep.equal([
            'file',
            0o644,
            0,
            0,
            0,
          ]);
          expect([header.uname, header.gname].join('')).to.equal('');
        }
      }),
    ));

  it('changes with every changed byte', async () => {
    const one = await writeTar({ 'bundle.js': 'a' });
    expect(one.equals(await writeTar({ 'bundle.js': 'b' }))).to.equal(false);
    expect(one.equals(await writeTar({ 'bundle.jS': 'a' }))).to.equal(false);
  });

  it('names neither time nor operating system in the gzip header', async () => {
    const archive = gzipTar(await writeTar({ a: '1' }));
    expect([...archive.subarray(0, 3)]).to.deep.equal([0x1f, 0x8b, 8]);
    expect([...archive.subarray(4, 8)]).to.deep.equal([0, 0, 0, 0]);
    expect(archive[9]).to.equal(255);
  });

  for (const bad of [
    '/etc/passwd',
    '../up',
    'a/../b',
    './a',
    'a//b',
    'a/',
    '',
    'C:\\x',
    'a\\b',
    'a\u0000b',
    '..',
    'a/..',
  ]) {
    it(`refuses the name ${JSON.stringify(bad)}`, async () => {
      const refused = await writeTar({ [bad]: 'x' }).then(
        () => null,
        (error: Error) => error.message,
      );
      expect(refused).to.contain('cannot be the name');
    });
  }
});
