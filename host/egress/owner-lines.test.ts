import { expect } from 'chai';
import { ownerLines } from './owner-lines.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Lines of owners', () => {
  const open = (max = 2) => {
    const lines = ownerLines(max);
    const begun: string[] = [];
    const enter = (owner: string, name: string, signal = new AbortController().signal) =>
      lines.enter(owner, signal).then(
        () => void begun.push(name),
        (reason) => void begun.push(`${name} ${reason}`),
      );
    const leave = async (owner: string) => {
      lines.leave(owner);
      await settle();
    };
    return { begun, enter, leave };
  };

  it('let so many of each owner begin, the others in order, and nobody wait for another owner', async () => {
    const { begun, enter, leave } = open();
    for (const name of ['a', 'b', 'c', 'd']) enter('one', name);
    enter('two', 'x');
    await settle();
    expect(begun).to.deep.equal(['a', 'b', 'x']);
    await leave('one');
    expect(begun).to.deep.equal(['a', 'b', 'x', 'c']);
    await leave('two');
    expect(begun).to.have.length(4);
    for (const _ of ['b', 'c', 'd']) await leave('one');
    for (const name of ['e', 'f', 'g']) enter('one', name);
    await settle();
    expect(begun).to.deep.equal(['a', 'b', 'x', 'c', 'd', 'e', 'f']);
  });

  it('let go who is called off, which is nobody else’s loss', async () => {
    const { begun, enter, leave } = open(1);
    const controller = new AbortController();
    enter('one', 'a');
    enter('one', 'b', controller.signal);
    enter('one', 'c');
    await settle();
    controller.abort('called off');
    await settle();
    expect(begun).to.deep.equal(['a', 'b called off']);
    enter('one', 'd', controller.signal);
    await leave('one');
    expect(begun).to.deep.equal(['a', 'b called off', 'd called off', 'c']);
  });
});
