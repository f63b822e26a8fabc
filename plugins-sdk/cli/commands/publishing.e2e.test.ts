import { generateKeyPairSync } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { keyIdOf, sha256Hex, verifyRelease } from '../../contract/index.ts';
import { pngOf } from '../../contract/test-images.ts';
import { createApiClient } from '../api-client.ts';
import { FAKE_TOKEN, type FakeControlPlane, readTar, startFakeControlPlane } from '../fake-control-plane.ts';
import { refusalOf } from '../test-refusal.ts';
import { initPlugin } from './init.ts';
import { createKeyFile, loadKeyFile, registerKey } from './keygen.ts';
import { packPlugin } from './pack.ts';
import { publishPlugin, signPlugin } from './publish.ts';

describe('publishing', () => {
  let root: string;
  let folder: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-'));
    folder = join(root, 'vouchers');
    await initPlugin({ folder, template: 'fulfilment', name: 'vouchers', publisher: 'acme-labs' });
  });
  after(() => rm(root, { recursive: true, force: true }));

  describe('initPlugin', () => {
    it('fills in the names everywhere', async () => {
      const texts = await Promise.all(
        ['gatehouse.json', 'package.json', 'README.md', 'test/plugin.test.ts'].map((file) =>
          readFile(join(folder, file), 'utf8'),
        ),
      );
      expect(texts.join('')).not.to.contain('{{');
      expect(JSON.parse(texts[0]!)).to.include({ name: 'vouchers', publisher: 'acme-labs', title: 'Vouchers' });
    });
    it('refuses a folder that has files in it and leaves them alone', async () => {
      const full = join(root, 'full');
      await mkdir(full);
      await writeFile(join(full, 'README.md'), 'mine');
      const error = await refusalOf(
        initPlugin({ folder: full, template: 'http', name: 'full', publisher: 'acme-labs' }),
      );
      expect(error.code).to.equal('folder-not-empty');
      expect(await readdir(full)).to.deep.equal(['README.md']);
    });
    it('refuses names that no plugin may have before it writes anything', async () => {
      const bad = join(root, 'bad');
      const error = await refusalOf(
        initPlugin({ folder: bad, template: 'http', name: 'Bad Name', publisher: 'acme-labs' }),
      );
      expect(error.message).to.contain('--name "Bad Name" must be');
      expect(await stat(bad).catch(() => null)).to.equal(null);
    });
  });

  describe('packPlugin', () => {
    it('gives the same bytes from another folder, with other times, modes, line ends and indentation', async () => {
      const other = join(root, 'deep', 'er', 'copy');
      // Without node_modules, as a fresh clone has it.
      await cp(folder, other, { recursive: true, filter: (path) => !path.includes('node_modules') });
      const readme = await readFile(join(folder, 'README.md'), 'utf8');
      await writeFile(join(other, 'README.md'), readme.replaceAll('\n', '\r\n'));
      const manifest = JSON.parse(await readFile(join(folder, 'gatehouse.json'), 'utf8'));
      await writeFile(join(other, 'gatehouse.json'), JSON.stringify(manifest));
      await chmod(join(other, 'src/index.ts'), 0o600);
      await utimes(join(other, 'src/index.ts'), 1, 1);
      const [one, two] = [await packPlugin(folder), await packPlugin(other)];
      expect(two.digest).to.equal(one.digest);
      expect(two.archive.equals(one.archive)).to.equal(true);
    });
    it('puts nothing but manifest, code, map, README and packages into the archive, and no path of this machine', async () => {
      const packed = await packPlugin(folder);
      const tar = gunzipSync(packed.archive);
      const files = await readTar(tar);
      const names = ['README.md', 'bundle.js', 'bundle.js.map', 'gatehouse.json', 'sbom.cdx.json'];
      expect(Object.keys(files)).to.deep.equal(names);
      const sbom = JSON.parse(files['sbom.cdx.json']!);
      expect(sbom).to.include({ bomFormat: 'CycloneDX', specVersion: '1.6' });
      expect(sbom.components.map(({ purl }: { purl: string }) => purl)).to.deep.equal([
        'pkg:npm/%40gatehouse/plugin-sdk@0.1.0',
      ]);
      expect(packed.digest).to.equal(sha256Hex(tar));
      expect(packed.bundleDigest).to.equal(sha256Hex(files['bundle.js']!));
      expect(tar.includes(root)).to.equal(false);
      expect(tar.includes(import.meta.dirname.split('/').slice(0, 3).join('/'))).to.equal(false);
      expect(JSON.parse(files['bundle.js.map']!).sources).to.include('src/delivery.ts');
    });
    it('gives other bytes for other code', async () => {
      const other = join(root, 'changed');
      await cp(folder, other, { recursive: true });
      await writeFile(
        join(other, 'src/delivery.ts'),
        `${await readFile(join(other, 'src/delivery.ts'), 'utf8')}\nconsole.log(1);\n`,
      );
      expect((await packPlugin(other)).digest).not.to.equal((await packPlugin(folder)).digest);
    });
    it('takes changelog and pictures of the listing along, warns of pictures left out, and refuses those that do more than show', async () => {
      const other = join(root, 'listed');
      await cp(folder, other, { recursive: true });
      const manifest = JSON.parse(await readFile(join(other, 'gatehouse.json'), 'utf8'));
      const listing = { icon: 'listing/icon.png', images: ['flow.svg'] };
      await writeFile(join(other, 'gatehouse.json'), JSON.stringify({ ...manifest, listing }));
      await mkdir(join(other, 'listing'));
      await writeFile(join(other, 'listing/icon.png'), pngOf(64, 64));
      await writeFile(join(other, 'flow.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
      await writeFile(join(other, 'CHANGELOG.md'), '# 1.0.0\r\n');
      await writeFile(join(other, 'README.md'), '![flow](flow.svg) ![else](other.png)');
      const packed = await packPlugin(other);
      expect(packed.files.map(({ name }) => name)).to.include.members(['CHANGELOG.md', 'flow.svg', 'listing/icon.png']);
      const left = packed.warnings.filter((warning) => warning.includes('listing.images'));
      expect(left).to.have.length(1);
      expect(left[0]).to.include('other.png');
      await writeFile(join(other, 'flow.svg'), '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
      await rm(join(other, 'listing/icon.png'));
      const error = await packPlugin(other).catch((thrown) => thrown);
      expect(error.code).to.equal('listing-invalid');
      expect(error.facts.faults.map(({ pointer }: { pointer: string }) => pointer)).to.deep.equal([
        '/listing/icon.png',
        '/flow.svg',
      ]);
    });
    it('warns of a missing README', async () => {
      const other = join(root, 'bare');
      await cp(folder, other, { recursive: true });
      await rm(join(other, 'README.md'));
      expect((await packPlugin(other)).warnings.join()).to.contain('README.md');
    });
    it('names every fault of the manifest with its pointer', async () => {
      const other = join(root, 'faulty');
      await cp(folder, other, { recursive: true });
      const manifest = JSON.parse(await readFile(join(other, 'gatehouse.json'), 'utf8'));
      await writeFile(
        join(other, 'gatehouse.json'),
        JSON.stringify({ ...manifest, kind: 'toy', version: '1', color: 'red' }),
      );
      const error = await refusalOf(packPlugin(other));
      expect(error.code).to.equal('manifest-invalid');
      expect(error.facts.faults.map(({ pointer }: { pointer: string }) => pointer)).to.have.members([
        '/kind',
        '/version',
        '/color',
      ]);
    });
    it('says where a manifest stops being JSON', async () => {
      const other = join(root, 'nojson');
      await mkdir(other);
      await writeFile(join(other, 'gatehouse.json'), '{\n  "name": oops\n}');
      const error = await refusalOf(packPlugin(other));
      expect(error.code).to.equal('manifest-invalid');
      expect(error.facts.faults[0].message).to.contain('line 2, column 11');
    });
    it('says how to begin where there is no manifest', async () => {
      expect((await refusalOf(packPlugin(root))).message).to.contain('gate init');
    });
    it('names file and line of code that cannot be bundled', async () => {
      const other = join(root, 'broken');
      await cp(folder, other, { recursive: true });
      await writeFile(join(other, 'src/index.ts'), "import fs from 'node:fs';\nexport default fs;\n");
      const error = await refusalOf(packPlugin(other));
      expect(error.code).to.equal('bundle-failed');
      expect(error.facts.frames.join()).to.match(/src\/index\.ts:1:\d+: .*node:fs/);
    });
  });

  describe('keygen', () => {
    it('makes a key that only its owner can read and knows its id', async () => {
      const key = await createKeyFile(join(root, 'keys', 'one.pem'));
      expect((await stat(key.path)).mode & 0o777).to.equal(0o600);
      expect((await stat(join(root, 'keys'))).mode & 0o777).to.equal(0o700);
      expect(key.keyId).to.equal(keyIdOf(await loadKeyFile(key.path)));
    });
    it('never overwrites a key', async () => {
      const path = join(root, 'keys', 'two.pem');
      await createKeyFile(path);
      const before = await readFile(path, 'utf8');
      expect((await refusalOf(createKeyFile(path))).code).to.equal('file-taken');
      expect(await readFile(path, 'utf8')).to.equal(before);
    });
    it('takes no key of another kind', async () => {
      const path = join(root, 'rsa.pem');
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      expect((await refusalOf(loadKeyFile(path))).code).to.equal('key-invalid');
      await writeFile(path, 'no key at all');
      expect((await refusalOf(loadKeyFile(path))).code).to.equal('key-invalid');
    });
    it('says how to make a key where there is none', async () => {
      expect((await refusalOf(loadKeyFile(join(root, 'none.pem')))).message).to.contain('gate keygen --register');
    });
  });

  describe('publishPlugin', () => {
    let host: FakeControlPlane;
    beforeEach(async () => {
      host = await startFakeControlPlane();
    });
    afterEach(() => host.close());
    const api = () => createApiClient({ url: host.url, token: FAKE_TOKEN, sleep: async () => {} });
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');

    it('signs the digest of what it sends', async () => {
      await registerKey(api())(privateKey, 'test');
      const { packed, envelope, release } = await publishPlugin(api())({ folder, privateKey });
      expect(release).to.include({
        plugin: 'acme-labs/vouchers',
        version: '0.1.0',
        state: 'in-review',
        digest: packed.digest,
      });
      expect(verifyRelease(envelope, publicKey)).to.deep.equal({
        publisher: 'acme-labs',
        name: 'vouchers',
        version: '0.1.0',
        digest: packed.digest,
      });
    });
    it('publishes once when the connection breaks after the first attempt arrived', async () => {
      await registerKey(api())(privateKey, 'test');
      host.breakNext(1);
      await publishPlugin(api())({ folder, privateKey });
      expect(host.asked.filter(({ url }) => url === '/v1/releases')).to.have.length(2);
      expect(host.releases).to.have.length(1);
    });
    it('hands on the refusal of a signature that the host does not know', async () => {
      const error = await refusalOf(publishPlugin(api())({ folder, privateKey }));
      expect(error).to.include({ code: 'release-signature-invalid', requestId: 'r-1' });
    });
    it('signs a statement that holds for nothing else', async () => {
      const packed = await packPlugin(folder);
      const envelope = signPlugin({ ...packed, digest: '0'.repeat(64) }, privateKey);
      expect(verifyRelease(envelope, publicKey)?.digest).to.equal('0'.repeat(64));
      expect(verifyRelease({ ...envelope, payload: signPlugin(packed, privateKey).payload }, publicKey)).to.equal(null);
    });
  });
});
