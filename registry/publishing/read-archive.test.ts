import { randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { RegistryRefusal } from '../errors.ts';
import { refusalOf, releaseFiles, sampleManifest, type TarFile, tarOf } from '../test-registry.ts';
import { readArchive } from './read-archive.ts';

const archiveOf = async (files: TarFile[]) => gzipSync(await tarOf(files));
const reasonFor = async (archive: Buffer | Promise<Buffer>) => {
  const { code, message } = await refusalOf(readArchive(await archive));
  return `${code}: ${message}`;
};

describe('readArchive', () => {
  it('gives manifest, code, source map and digests of a well-formed archive', async () => {
    const files = [...releaseFiles(), { name: 'bundle.js.map', content: '{"version":3}' }];
    const read = await readArchive(await archiveOf(files));
    expect(read.manifest).to.deep.equal(sampleManifest());
    expect(read.code).to.equal('export default 1;');
    expect(read.sourceMap).to.equal('{"version":3}');
    expect(read.bundleBytes).to.equal(17);
    expect(read.digest).to.match(/^[0-9a-f]{64}$/);
  });

  it('gives the same digest whatever the compression', async () => {
    const tar = await tarOf(releaseFiles());
    const digests = await Promise.all(
      [1, 9].map(async (level) => (await readArchive(gzipSync(tar, { level }))).digest),
    );
    expect(digests[0]).to.equal(digests[1]);
  });

  const hostile: Record<string, [TarFile, RegExp]> = {
    'a symbolic link': [{ name: 'a', type: 'symlink', linkname: '/etc/passwd' }, /"a" .* is a symlink/],
    'a hard link': [{ name: 'a', type: 'link', linkname: 'bundle.js' }, /"a" .* is a link/],
    'a character device': [{ name: 'a', type: 'character-device' }, /is a character-device/],
    'a block device': [{ name: 'a', type: 'block-device' }, /is a block-device/],
    'a pipe': [{ name: 'a', type: 'fifo' }, /is a fifo/],
    'a directory': [{ name: 'a', type: 'directory' }, /is a directory/],
    'an absolute path': [{ name: '/etc/passwd' }, /"\/etc\/passwd" .* absolute path/],
    'a parent path': [{ name: 'a/../../b' }, /"a\/..\/..\/b" .* ".." in its path/],
    'a path of one dot': [{ name: './bundle.js' }, /"." or ".." in its path/],
    'a backslash': [{ name: 'a\\b' }, /characters other than/],
    'a name that is not ASCII': [{ name: 'ä.txt' }, /characters other than|extended header/],
    'a control character': [{ name: 'a\nb' }, /characters other than/],
    'a name longer than 100 bytes': [{ name: `${'d'.repeat(60)}/${'f'.repeat(60)}` }, /more than 100 bytes/],
    'a duplicate': [{ name: 'bundle.js', content: '2' }, /"bundle.js" .* occurs twice/],
    'a duplicate in another case': [{ name: 'Bundle.JS', content: '2' }, /"Bundle.JS" .* occurs twice/],
    'a file below a file': [{ name: 'bundle.js/x' }, /below "bundle.js", which is a file/],
    'an extended header': [{ name: 'a', pax: { comment: 'hidden' } }, /extended header/],
    'an extended header that renames': [{ name: 'a', pax: { path: '../b' } }, /".." in its path/],
  };
  for (const [what, [file, reason]] of Object.entries(hostile)) {
    it(`refuses ${what}`, async () => {
      expect(await reasonFor(archiveOf([...releaseFiles(), file])))
        .to.match(/^release-archive-invalid/)
        .and.match(reason);
    });
  }

  it('refuses a folder that becomes a file', async () => {
    const files = [...releaseFiles(), { name: 'a/b' }, { name: 'A' }];
    expect(await reasonFor(archiveOf(files))).to.contain('is a file and a folder at once');
  });

  it('refuses 10,000 files', async () => {
    const files = Array.from({ length: 10_000 }, (_, at) => ({ name: `f${at}` }));
    expect(await reasonFor(archiveOf([...releaseFiles(), ...files]))).to.contain('more than 64 entries');
  });

  it('stops inflating a bomb at the limit, long before its end', async () => {
    // Were it inflated to its end, the broken checksum there would be the reason.
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    bomb.writeUInt32LE(0, bomb.length - 8);
    expect(await reasonFor(bomb)).to.match(/unpacks to more than (100 times its size|16777216 bytes)/);
    const noise = Buffer.concat(Array.from({ length: 300 }, (_, at) => Buffer.alloc(65_536, `${at}${Math.sin(at)}`)));
    const large = gzipSync(noise, { level: 1 });
    large.writeUInt32LE(0, large.length - 8);
    expect(await reasonFor(large)).to.match(/unpacks to more than/);
  });

  it('refuses more compressed bytes than an archive may have', async () => {
    expect(await reasonFor(Buffer.alloc(4 * 1024 * 1024 + 1))).to.contain('larger than 4194304 bytes');
  });

  it('refuses what is not gzip, is cut off, is damaged or goes on after its end', async () => {
    const archive = await archiveOf(releaseFiles());
    const damaged = Buffer.from(archive);
    damaged[damaged.length - 6]! ^= 0xff;
    const trailing = Buffer.concat([archive, Buffer.from('trailing')]);
    const broken = [
      Buffer.alloc(0),
      Buffer.from('PK\x03\x04'),
      deflateRawSync('x'),
      archive.subarray(0, -9),
      damaged,
      trailing,
    ];
    for (const each of broken) expect(await reasonFor(each)).to.contain('is not a complete gzip stream');
    expect(await reasonFor(Buffer.concat([archive, Buffer.alloc(99)]))).to.contain('after the end of its gzip');
  });

  it('refuses bytes hidden between, within or after the entries', async () => {
    const tar = await tarOf(releaseFiles());
    const afterEnd = Buffer.from(tar);
    afterEnd[afterEnd.length - 1] = 1;
    expect(await reasonFor(gzipSync(afterEnd))).to.match(/after its last entry|not a well-formed tar/);
    const padding = Buffer.from(tar);
    padding[512 + JSON.stringify(sampleManifest()).length] = 1;
    expect(await reasonFor(gzipSync(padding))).to.contain('"gatehouse.json" of the archive has bytes after its end');
    const gap = Buffer.concat([Buffer.alloc(512), tar]);
    expect(await reasonFor(gzipSync(gap))).to.contain('a gap before it');
    const second = Buffer.concat([tar, await tarOf([{ name: 'late.js', content: '1' }])]);
    expect(await reasonFor(gzipSync(second))).to.contain('a gap before it');
    expect(await reasonFor(gzipSync(tar.subarray(0, 700)))).to.match(/cut off|not a well-formed tar/);
  });

  it('refuses an archive without manifest or bundle', async () => {
    const [manifest, bundle] = releaseFiles();
    expect(await reasonFor(archiveOf([bundle!]))).to.contain('has no file "gatehouse.json"');
    expect(await reasonFor(archiveOf([manifest!]))).to.contain('has no file "bundle.js"');
    expect(await reasonFor(archiveOf([manifest!, { name: 'bundle.js' }]))).to.contain(
      '"bundle.js" of the archive is empty',
    );
    expect(await reasonFor(archiveOf([]))).to.contain('has no file');
  });

  it('refuses a bundle over its limit', async () => {
    const code = randomBytes(800_000).toString('base64');
    expect(await reasonFor(archiveOf(releaseFiles(sampleManifest(), code)))).to.contain('is larger than 1048576 bytes');
  });

  it('refuses invalid UTF-8 in code and manifest', async () => {
    const bad = Buffer.from([0x22, 0xc3, 0x28, 0x22]);
    expect(await reasonFor(archiveOf(releaseFiles(sampleManifest(), bad)))).to.contain(
      '"bundle.js" of the archive is not valid UTF-8',
    );
    const files = [{ name: 'gatehouse.json', content: bad }, releaseFiles()[1]!];
    expect(await reasonFor(archiveOf(files))).to.contain('"gatehouse.json" of the archive is not valid UTF-8');
  });

  it('refuses a manifest that is not JSON, or is nested too deep', async () => {
    const withManifest = (content: string) => archiveOf([{ name: 'gatehouse.json', content }, releaseFiles()[1]!]);
    expect(await reasonFor(withManifest('{nope'))).to.contain('"gatehouse.json" of the archive is not JSON');
    expect(await reasonFor(withManifest('['.repeat(100_000)))).to.contain('nested more than 32 levels deep');
    expect(await reasonFor(withManifest(`"${'['.repeat(100)}"`))).to.contain('release-manifest-invalid');
  });

  it('reports all faults of a manifest at once, with their pointers', async () => {
    const manifest = { ...sampleManifest(), version: 'one', kind: 'thing', extra: 1 };
    const refusal = await refusalOf(readArchive(await archiveOf(releaseFiles(manifest))));
    expect(refusal.code).to.equal('release-manifest-invalid');
    const pointers = (refusal.facts.faults as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).to.include.members(['/version', '/kind', '/extra']);
  });

  it('refuses text in a manifest that could not be stored exactly', async () => {
    for (const title of ['a\0b', 'a\ud800b']) {
      const refusal = await refusalOf(readArchive(await archiveOf(releaseFiles(sampleManifest({ title })))));
      expect(refusal.facts.faults).to.deep.equal([
        { pointer: '/title', message: 'must not hold U+0000 or unpaired surrogates' },
      ]);
    }
  });

  it('finds in any well-formed archive exactly what was put in', async () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,12}(\/[a-z0-9_-]{1,12}){0,2}\.txt$/);
    const extras = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 2_000 })), {
      selector: ([each]) => each,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(extras, fc.string({ minLength: 1, unit: 'binary' }), async (files, code) => {
        const all = [...releaseFiles(sampleManifest(), Buffer.from(code)), ...files.map(toFile)];
        const read = await readArchive(await archiveOf(all));
        expect(read.code).to.equal(Buffer.from(code).toString());
      }),
      { numRuns: 60 },
    );
  });

  it('answers any damage to an archive with a refusal or with what was there, never with anything else', async () => {
    const tar = await tarOf([...releaseFiles(), { name: 'README.md', content: 'read me' }]);
    const edit = fc.record({ at: fc.nat(tar.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(tar.length), async (edits, cut) => {
        const damaged = Buffer.from(tar);
        for (const { at, bytes } of edits) damaged.set(bytes.subarray(0, tar.length - at), at);
        for (const hostile of [damaged, tar.subarray(0, cut), Buffer.concat([damaged, damaged.subarray(cut)])]) {
          const outcome = await readArchive(gzipSync(hostile)).catch((error) => error);
          if (outcome instanceof Error) expect(outcome).to.be.instanceOf(RegistryRefusal);
          else expect(outcome.code).to.be.a('string');
        }
      }),
      { numRuns: 300 },
    );
  });
});

const toFile = ([name, content]: [string, Uint8Array]): TarFile => ({ name, content: Buffer.from(content) });
