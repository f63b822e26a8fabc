import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { EncryptionKeyUnusable, loadKeys, parseKeys } from './load-keys.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => '',
    (error) => (error instanceof EncryptionKeyUnusable ? error.message : String(error)),
  );

describe('parseKeys', () => {
  it('reads one key, or several with their versions', () => {
    expect([...parseKeys(KEY)]).to.deep.equal([[1, Buffer.alloc(32, 7)]]);
    expect([...parseKeys(`1:${KEY}, 3:${KEY}`).keys()]).to.deep.equal([1, 3]);
  });

  it('refuses what is no key without repeating it', () => {
    for (const text of [
      '',
      'secret',
      KEY.slice(1),
      `0:${KEY}`,
      `x:${KEY}`,
      `1:${KEY},1:${KEY}`,
      `${KEY}${KEY}`,
      `${KEY};${KEY}`,
    ]) {
      expect(() => parseKeys(text), text)
        .to.throw(EncryptionKeyUnusable)
        .and.satisfy(({ message }: Error) => text === '' || !message.includes(text));
    }
  });
});

describe('loadKeys', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('makes a key in a folder once, for its owner alone', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => loadKeys({ configured: null, folder })));
    expect(new Set(all.map((keys) => keys.get(1)!.toString('hex'))).size).to.equal(1);
    expect((await stat(path.join(folder, 'encryption-key'))).mode & 0o777).to.equal(0o600);
  });

  it('refuses a file that others may read', async () => {
    await loadKeys({ configured: null, folder });
    await chmod(path.join(folder, 'encryption-key'), 0o644);
    expect(await messageOf(loadKeys({ configured: null, folder }))).to.include('chmod 600');
  });

  it('says how to make a key where there is none and no folder for one', async () => {
    expect(await messageOf(loadKeys({ configured: null, folder: null }))).to.include('openssl rand -base64 32');
    expect((await loadKeys({ configured: KEY, folder: null })).size).to.equal(1);
  });
});
