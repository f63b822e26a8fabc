import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDevSession } from './dev-session.ts';
import { refusalOf } from './test-refusal.ts';
import { watchFolder } from './watch-folder.ts';

describe('watchFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watch-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('follows a folder in which a link leads to itself, whenever that came', async () => {
    await symlink('early', join(folder, 'early'));
    let seen = () => {};
    const saved = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const unwatch = watchFolder(folder, () => seen());
    try {
      // Node.js would throw while it looks at this one, before it tells of the file.
      await symlink('late', join(folder, 'late'));
      await writeFile(join(folder, 'index.ts'), '1');
      await saved;
    } finally {
      unwatch();
    }
  });

  it('says what cannot be watched, and the session leaves nothing running', async () => {
    const absent = join(folder, 'absent');
    expect(await refusalOf((async () => watchFolder(absent, () => {}))())).to.include({ code: 'file-unreadable' });
    let closed = 0;
    const openSandbox = async () => ({
      invoke: () => Promise.reject(new Error('nothing runs')),
      evict: () => {},
      close: async () => void closed++,
    });
    const refusal = await refusalOf(startDevSession({ folder: absent, openSandbox }, () => {}));
    expect(refusal.code).to.equal('file-unreadable');
    expect(closed).to.equal(1);
  });
});
