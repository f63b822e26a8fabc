import { expect } from 'chai';
import { batchWriter } from './batch-writer.ts';

const collecting = (write?: (items: number[]) => Promise<void>) => {
  const batches: number[][] = [];
  const losses: number[] = [];
  const writer = batchWriter<number>({
    write: async (items) => {
      await write?.(items);
      batches.push(items);
    },
    onLost: (count) => {
      losses.push(count);
    },
    delayMs: 60_000,
    itemsMax: 10,
  });
  return { writer, batches, losses };
};

describe('batchWriter', () => {
  it('writes everything that was added, in order, in one batch', async () => {
    const { writer, batches } = collecting();
    for (const item of [1, 2, 3]) writer.add(item);
    await writer.flush();
    expect(batches).to.deep.equal([[1, 2, 3]]);
  });

  it('writes one batch after the other', async () => {
    let running = 0;
    const { writer, batches } = collecting(async () => {
      expect(++running).to.equal(1);
      await new Promise(setImmediate);
      running -= 1;
    });
    writer.add(1);
    const first = writer.flush();
    writer.add(2);
    await Promise.all([first, writer.flush()]);
    expect(batches.flat()).to.deep.equal([1, 2]);
  });

  it('drops the oldest items beyond its bound, and says once how many', async () => {
    const { writer, batches, losses } = collecting();
    for (let item = 0; item < 13; item++) writer.add(item);
    await writer.flush();
    expect(losses).to.deep.equal([3]);
    expect(batches).to.deep.equal([[3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]);
  });

  it('goes on after a batch that could not be written, and reports it', async () => {
    let fails = true;
    const { writer, batches, losses } = collecting(async () => {
      if (fails) throw new Error('down');
    });
    writer.add(1);
    await writer.flush();
    fails = false;
    writer.add(2);
    await writer.flush();
    expect(losses).to.deep.equal([1]);
    expect(batches).to.deep.equal([[2]]);
  });
});
