import { expect } from 'chai';
import { describeKvStore } from './kv-store.suite.ts';
import { memoryKvStore } from './memory-kv-store.ts';

let next = 0;
describeKvStore('memory', async () => ({
  store: memoryKvStore(Date.now),
  fresh: async () => `installation-${next++}`,
}));

describe('memoryKvStore', () => {
  it('forgets an entry when its time is over, and starts it at version 1 again', async () => {
    let nowMs = 0;
    const store = memoryKvStore(() => nowMs);
    await store.set('i', { key: 'x', json: '1', ttlSeconds: 10 });
    nowMs = 9_999;
    expect((await store.get('i', 'x'))?.json).to.equal('1');
    nowMs = 10_000;
    expect(await store.get('i', 'x')).to.equal(null);
    expect(await store.set('i', { key: 'x', json: '2', ifVersion: 0 })).to.deep.equal({ version: 1 });
  });
});
