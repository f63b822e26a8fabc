import { expect } from 'chai';
import { createCodeShelf } from './code-shelf.ts';

describe('createCodeShelf', () => {
  it('gives what was sent before, and keeps what is sent now', () => {
    const shelf = createCodeShelf();
    expect(shelf.get('a')).to.equal(undefined);
    const script = { code: 'code of a' };
    expect(shelf.take('a', script)).to.equal(script);
    expect(shelf.get('a')).to.equal(script);
    expect(shelf.take('a', { code: 'code of a' })).to.equal(script);
  });

  it('lets the least recently used go when there are too many', () => {
    const shelf = createCodeShelf();
    for (let at = 0; at < 32; at++) shelf.take(`${at}`, { code: 'x' });
    shelf.take('0', { code: 'x' });
    shelf.take('32', { code: 'x' });
    expect(['0', '1', '2', '32'].filter((digest) => shelf.get(digest))).to.deep.equal(['0', '2', '32']);
  });

  it('holds no more text than it may, but always what is needed now', () => {
    const shelf = createCodeShelf();
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let at = 0; at < 9; at++) shelf.take(`${at}`, { code: megabyte });
    expect(shelf.get('0')).to.equal(undefined);
    expect(shelf.get('1')).to.not.equal(undefined);
    const large = shelf.take('large', { code: megabyte.repeat(9) });
    expect(shelf.get('8')).to.equal(undefined);
    expect(shelf.get('large')).to.equal(large);
  });
});
