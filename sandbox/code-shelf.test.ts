import { expect } from 'chai';
import { createCodeShelf } from './code-shelf.ts';

describe('createCodeShelf', () => {
  it('gives what was sent before, and keeps what is sent now', () => {
    const shelf = createCodeShelf();
    expect(shelf.take('a', '')).to.equal(undefined);
    const script = shelf.take('a', 'code of a');
    expect(script).to.deep.equal({ code: 'code of a' });
    expect(shelf.has('a')).to.equal(true);
    expect(shelf.take('a', '')).to.equal(script);
  });

  it('lets the least recently used go when there are too many', () => {
    const shelf = createCodeShelf();
    for (let at = 0; at < 32; at++) shelf.take(`${at}`, 'x');
    shelf.take('0', '');
    shelf.take('32', 'x');
    expect([shelf.has('0'), shelf.has('1'), shelf.has('2'), shelf.has('32')]).to.deep.equal([true, false, true, true]);
  });

  it('holds no more text than it may, but always what is needed now', () => {
    const shelf = createCodeShelf();
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let at = 0; at < 9; at++) shelf.take(`${at}`, megabyte);
    expect(shelf.has('0')).to.equal(false);
    expect(shelf.has('1')).to.equal(true);
    shelf.take('large', megabyte.repeat(9));
    expect(shelf.has('8')).to.equal(false);
    expect(shelf.has('large')).to.equal(true);
  });
});
