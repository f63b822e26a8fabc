import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { writeWhole } from './write-whole.ts';

describe('writeWhole', () => {
  it('leaves one whole file for its owner alone, however many write at once', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'write-whole-'));
    const file = path.join(folder, 'head.json');
    const texts = Array.from({ length: 20 }, (_, at) => `${at}`.repeat(10_000));
    await Promise.all(texts.map((text) => writeWhole(file, text)));
    expect(texts).to.include(await readFile(file, 'utf8'));
    expect(await readdir(folder)).to.deep.equal(['head.json']);
    expect((await stat(file)).mode & 0o077).to.equal(0);
    await rm(folder, { recursive: true });
  });
});
