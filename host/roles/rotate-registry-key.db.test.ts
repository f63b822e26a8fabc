import { createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import { loadSigningKey } from '../../registry/index.ts';
import { rotateRegistryKeyFile } from './rotate-registry-key.ts';

describe('gatehouse keys rotate-registry', () => {
  let database: TestDatabase;
  let folder: string;
  before(async () => {
    database = await testDatabase();
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-key-'));
  });
  after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  const idIn = async (file: string) => keyIdOf(createPublicKey(await readFile(file, 'utf8')));

  it('keeps every key when it runs several times at once, and does one after the other', async () => {
    const signingKeyFile = path.join(folder, 'registry-key.pem');
    const first = keyIdOf(createPublicKey((await loadSigningKey(signingKeyFile)) as never));
    const done = await Promise.all(
      Array.from({ length: 3 }, () =>
        rotateRegistryKeyFile({ signingKeyFile }, database.ownerUrl, { overlapMs: 3_600_000, nowMs: Date.now }),
      ),
    );
    const next = new Map(done.map(({ from, to }) => [from, to]));
    expect(next.get(next.get(next.get(first)!)!)).to.equal(await idIn(signingKeyFile));
    for (const { from, oldFile } of done) expect(await idIn(oldFile)).to.equal(from);
  });
});
