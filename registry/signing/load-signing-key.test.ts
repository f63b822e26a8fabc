import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { loadSigningKey, SigningKeyUnusable } from './load-signing-key.ts';

describe('loadSigningKey', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-key-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const unusable = (path: string) =>
    loadSigningKey(path).then(
      () => expect.fail('it was loaded'),
      (error) => {
        expect(error).to.be.instanceOf(SigningKeyUnusable);
        return error.message as string;
      },
    );

  it('makes a key that only its owner may read, and loads the same one afterwards', async () => {
    const path = join(folder, 'keys', 'registry.pem');
    const made = await loadSigningKey(path);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(keyIdOf(await loadSigningKey(path))).to.equal(keyIdOf(made));
  });

  it('gives the same key to all who make it at once, and leaves nothing else behind', async () => {
    const path = join(folder, 'registry.pem');
    const made = await Promise.all(Array.from({ length: 8 }, () => loadSigningKey(path)));
    expect(new Set(made.map(keyIdOf)).size).to.equal(1);
    expect(await readdir(folder)).to.deep.equal(['registry.pem']);
  });

  it('refuses a key that others may read', async () => {
    const path = join(folder, 'registry.pem');
    await loadSigningKey(path);
    await chmod(path, 0o644);
    expect(await unusable(path)).to.contain(`chmod 600 ${path}`);
  });

  it('refuses a file that holds no key, or one of another kind', async () => {
    const path = join(folder, 'registry.pem');
    await writeFile(path, 'nonsense', { mode: 0o600 });
    expect(await unusable(path)).to.contain(path);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(await unusable(path)).to.contain('not an Ed25519 key');
  });
});
