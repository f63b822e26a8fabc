import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { type ReleaseExport, sha256Hex } from '../../contract/index.ts';
import { refusalOf } from '../test-refusal.ts';
import { isBundle, readBundle, writeBundle } from './bundle-file.ts';

const HEX = 'a'.repeat(64);
const AT = '2030-01-01T00:00:00.000Z';
const status = {
  v: 1,
  release: { publisher: 'acme', name: 'hello', version: '1.0.0', digest: HEX },
  ...{ archiveSha256: HEX, publisherName: 'Acme', state: 'published', createdAt: AT, reviewedAt: AT, exportedAt: AT },
  ...{ yanked: null, deprecated: null, blocked: null },
  publisherKey: { keyId: HEX, label: 'laptop', revokedAt: null, retiresAt: null, compromisedSince: null },
};
const envelope = (said: unknown) => ({
  payloadType: 'application/vnd.gatehouse.release-status+json',
  payload: Buffer.from(JSON.stringify(said)).toString('base64'),
  signatures: [],
});
const exported = { version: 1, status: envelope(status), proof: {}, keys: [] } as unknown as ReleaseExport;
const archive = gzipSync('archive');
const other = gzipSync('another');

interface File {
  name: string;
  content?: Buffer | string;
  type?: 'symlink' | 'directory';
  linkname?: string;
  pax?: Record<string, string>;
}

async function tarOf(files: File[]): Promise<Buffer> {
  const tar = pack();
  for (const { content = '', ...header } of files)
    tar.entry(header as never, header.type ? undefined! : Buffer.from(content));
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const fileOf = (content: Buffer): File => ({ name: `releases/${sha256Hex(content)}.gpk`, content });
const indexOf = (index: unknown): File => ({ name: 'bundle.json', content: JSON.stringify(index) });
const whole = { version: 1, releases: [{ archive: sha256Hex(archive), exported }] };

describe('a bundle', () => {
  it('is read as it was written, in its order, and is no release archive', async () => {
    const releases = [
      { exported, archive: other },
      { exported, archive },
    ];
    const bytes = await writeBundle(releases);
    expect(await readBundle(bytes)).to.deep.equal(releases);
    expect([isBundle(bytes), isBundle(archive)]).to.deep.equal([true, false]);
    expect(await writeBundle(releases), 'the same bytes again').to.deep.equal(bytes);
  });

  const refused = async (bytes: Buffer | Promise<Buffer>) => {
    const { code, message } = await refusalOf(readBundle(await bytes));
    expect(code).to.equal('bundle-invalid');
    return message;
  };

  it('is refused wherever it is cut off', async () => {
    const bytes = await tarOf([indexOf(whole), fileOf(archive)]);
    for (let end = 0; end < bytes.length - 512; end += 97) {
      expect(await refused(bytes.subarray(0, end)), `${end}`).to.match(/cut off|has no bundle\.json|lacks the archive/);
    }
  });

  it('is refused with names that lead elsewhere, links, folders, and whatever its index does not name', async () => {
    for (const name of [
      '../bundle.json',
      '/etc/passwd',
      'releases/../../x.gpk',
      'releases/x.gpk',
      `RELEASES/${HEX}.gpk`,
    ]) {
      expect(await refused(tarOf([indexOf(whole), fileOf(archive), { name, content: 'x' }])), name).to.contain(
        'no bundle has',
      );
    }
    const link: File = { name: `releases/${HEX}.gpk`, type: 'symlink', linkname: '/etc/passwd' };
    expect(await refused(tarOf([indexOf(whole), link]))).to.contain('symlink');
    expect(await refused(tarOf([{ name: 'releases', type: 'directory' }, indexOf(whole)]))).to.contain('directory');
    expect(await refused(tarOf([indexOf(whole), fileOf(archive), fileOf(other)]))).to.contain('does not name');
    expect(await refused(tarOf([indexOf(whole), fileOf(archive), fileOf(archive)]))).to.contain('twice');
    const hidden = { ...fileOf(archive), pax: { comment: 'hidden' } };
    expect(await refused(tarOf([indexOf(whole), hidden]))).to.contain('extended header');
    const bytes = await tarOf([indexOf(whole), fileOf(archive)]);
    expect(await refused(Buffer.concat([bytes, Buffer.from('more')]))).to.match(/after its last file|well-formed/);
  });

  it('is refused where a file is not what its name says, or is missing', async () => {
    const swapped = { ...fileOf(archive), content: other };
    expect(await refused(tarOf([indexOf(whole), swapped]))).to.contain('another file');
    expect(await refused(tarOf([indexOf(whole)]))).to.contain('lacks the archive');
    expect(await refused(tarOf([fileOf(archive)]))).to.contain('has no bundle.json');
    expect(await refused(gzipSync('x'))).to.match(/tar|cut off/);
  });

  it('is refused with an index of another form', async () => {
    const entry = whole.releases[0]!;
    for (const index of [
      null,
      [],
      { version: 2, releases: [] },
      { version: 1, releases: [] },
      { version: 1, releases: Array(65).fill(entry) },
      { version: 1, releases: [null] },
      { version: 1, releases: [{ ...entry, archive: '../x' }] },
      { version: 1, releases: [{ ...entry, exported: { ...exported, keys: null } }] },
      {
        version: 1,
        releases: [{ ...entry, exported: { ...exported, status: envelope({ ...status, state: 'fine' }) } }],
      },
      {
        version: 1,
        releases: [{ ...entry, exported: { ...exported, status: envelope({ ...status, exportedAt: 'now' }) } }],
      },
    ]) {
      await refused(tarOf([indexOf(index), fileOf(archive)]));
    }
    expect(await refused(tarOf([{ name: 'bundle.json', content: '{"version":1,' }]))).to.contain('cut off');
  });

  it('is refused with a file that is too large to be a release', async () => {
    const bomb = Buffer.alloc(4 * 1024 * 1024 + 1);
    expect(await refused(tarOf([indexOf(whole), fileOf(bomb)]))).to.contain('too large');
    expect(await refused(Buffer.alloc(300 * 1024 * 1024))).to.contain('larger than');
  });
});
