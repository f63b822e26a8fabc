import { expect } from 'chai';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { KV_READ_BYTES_MAX, KV_VALUE_BYTES_MAX, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { CapabilityError } from './capability-error.ts';
import type { KvStore } from './kv-store.contract.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import type { StoredOperation } from './rules/kv-operations.ts';

const refusal = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return 'none';
  } catch (error) {
    return (error as CapabilityError).code;
  }
};

/** What every KvStore must do. `fresh` gives an id of an installation without entries. */
export function describeKvStore(name: string, open: () => Promise<{ store: KvStore; fresh(): Promise<string> }>): void {
  describe(`KvStore in ${name}`, () => {
    let store: KvStore;
    let fresh: () => Promise<string>;
    before(async () => {
      ({ store, fresh } = await open());
    });

    it('returns null for a key that was never written', async () => {
      expect(await store.get(await fresh(), 'x')).to.equal(null);
    });

    it('counts versions from 1', async () => {
      const id = await fresh();
      expect(await store.set(id, { key: 'x', json: '1' })).to.deep.equal({ version: 1 });
      expect(await store.set(id, { key: 'x', json: '{"a":[1,"é"]}' })).to.deep.equal({ version: 2 });
      expect(await store.get(id, 'x')).to.deep.include({ key: 'x', json: '{"a":[1,"é"]}', version: 2 });
    });

    it('gives each of many writes over one key at once a version of its own, and keeps the last version with its value', async () => {
      const id = await fresh();
      const versions = await Promise.all(
        Array.from({ length: 30 }, async (_, at) => (await store.set(id, { key: 'x', json: String(at) })).version),
      );
      expect(new Set(versions)).to.deep.equal(new Set(Array.from({ length: 30 }, (_, at) => at + 1)));
      const last = versions.indexOf(30);
      expect(await store.get(id, 'x')).to.deep.equal({ key: 'x', json: String(last), version: 30 });
    });

    it('writes with ifVersion 0 only where no entry is', async () => {
      const id = await fresh();
      expect(await store.set(id, { key: 'x', json: '1', ifVersion: 0 })).to.deep.equal({ version: 1 });
      expect(await refusal(store.set(id, { key: 'x', json: '2', ifVersion: 0 }))).to.equal('kv-version-conflict');
      expect((await store.get(id, 'x'))?.json).to.equal('1');
    });

    it('writes with ifVersion n only over version n', async () => {
      const id = await fresh();
      expect(await refusal(store.set(id, { key: 'x', json: '1', ifVersion: 1 }))).to.equal('kv-version-conflict');
      expect(await store.get(id, 'x')).to.equal(null);
      await store.set(id, { key: 'x', json: '1' });
      expect(await refusal(store.set(id, { key: 'x', json: '2', ifVersion: 2 }))).to.equal('kv-version-conflict');
      expect(await store.set(id, { key: 'x', json: '2', ifVersion: 1 })).to.deep.equal({ version: 2 });
    });

    it('lets exactly one of many concurrent first writes win', async () => {
      const id = await fresh();
      const writes = Array.from({ length: 20 }, (_, at) =>
        refusal(store.set(id, { key: 'x', json: String(at), ifVersion: 0 })),
      );
      expect((await Promise.all(writes)).filter((code) => code === 'none')).to.have.length(1);
    });

    it('loses no concurrent increment', async () => {
      const id = await fresh();
      const values = await Promise.all(Array.from({ length: 20 }, () => store.increment(id, 'n', 2)));
      expect(values.map(({ value }) => value).sort((a, b) => a - b)).to.deep.equal(
        Array.from({ length: 20 }, (_, at) => 2 * (at + 1)),
      );
    });

    it('refuses to increment what is no safe integer', async () => {
      const id = await fresh();
      await store.set(id, { key: 'text', json: '"1"' });
      await store.set(id, { key: 'big', json: String(Number.MAX_SAFE_INTEGER) });
      expect(await refusal(store.increment(id, 'text', 1))).to.equal('capability-arguments-invalid');
      expect(await refusal(store.increment(id, 'big', 1))).to.equal('capability-arguments-invalid');
    });

    it('keeps installations apart', async () => {
      const [one, other] = [await fresh(), await fresh()];
      await store.set(one, { key: 'x', json: '1' });
      expect(await store.get(other, 'x')).to.equal(null);
      expect(await store.list(other, { prefix: '', afterKey: '', limit: 10 })).to.deep.equal([]);
    });

    it('lists by code point, after a key, below a prefix that holds wildcard characters', async () => {
      const id = await fresh();
      for (const key of ['a%', 'a%b', 'a_b', 'ab', 'B', 'ä', '\u{1F600}', '\uFF5E'])
        await store.set(id, { key, json: '0' });
      const keys = async (prefix: string, afterKey: string) =>
        (await store.list(id, { prefix, afterKey, limit: 100 })).map(({ key }) => key);
      expect(await keys('', '')).to.deep.equal(['B', 'a%', 'a%b', 'a_b', 'ab', 'ä', '\uFF5E', '\u{1F600}']);
      expect(await keys('a%', '')).to.deep.equal(['a%', 'a%b']);
      expect(await keys('a', 'a%b')).to.deep.equal(['a_b', 'ab']);
    });

    it('reads many entries in the order of the keys, with null for those that are absent', async () => {
      const id = await fresh();
      await store.set(id, { key: 'a', json: '1' });
      await store.set(id, { key: 'b', json: '2' });
      const entries = await store.getMany(id, ['b', 'x', 'a', 'b']);
      expect(entries.map((entry) => entry?.json ?? null)).to.deep.equal(['2', null, '1', '2']);
    });

    it('lists nothing behind the entry with which a page is full, counted in bytes of UTF-8', async () => {
      const id = await fresh();
      const json = JSON.stringify('ā'.repeat((KV_VALUE_BYTES_MAX - 2) / 2));
      expect(Buffer.byteLength(json)).to.equal(KV_VALUE_BYTES_MAX);
      const operations = Array.from({ length: 9 }, (_, at) => ({ set: `k${at}`, json }));
      await store.transaction(id, operations);
      const keys = async (afterKey: string, limit = 100) =>
        (await store.list(id, { prefix: 'k', afterKey, limit })).map(({ key }) => key);
      // Four fill the page, and the fifth tells that there are more.
      expect(KV_READ_BYTES_MAX / KV_VALUE_BYTES_MAX).to.equal(4);
      expect(await keys('')).to.deep.equal(['k0', 'k1', 'k2', 'k3', 'k4']);
      expect(await keys('', 3)).to.deep.equal(['k0', 'k1', 'k2']);
      expect(await keys('k4')).to.deep.equal(['k5', 'k6', 'k7', 'k8']);
    });

    it('refuses to read many entries that are too large together, also one entry time and again', async () => {
      const id = await fresh();
      const json = JSON.stringify('ā'.repeat((KV_VALUE_BYTES_MAX - 2) / 2));
      const keys = ['a', 'b', 'c', 'd', 'e'];
      await store.transaction(id, [...keys.map((key) => ({ set: key, json })), { set: 'tiny', json: '1' }]);
      expect(await store.getMany(id, keys.slice(1))).to.have.length(4);
      expect(await store.getMany(id, Array(4).fill('a'))).to.have.length(4);
      expect(await refusal(store.getMany(id, keys))).to.equal('kv-read-too-large');
      expect(await refusal(store.getMany(id, Array(5).fill('a')))).to.equal('kv-read-too-large');
      expect(await refusal(store.getMany(id, [...keys.slice(1), 'none', 'tiny']))).to.equal('kv-read-too-large');
    });

    it('does all operations of a transaction, each on what those before have left', async () => {
      const id = await fresh();
      await store.set(id, { key: 'stock', json: '3' });
      await store.set(id, { key: 'old', json: '0' });
      const results = await store.transaction(id, [
        { check: 'stock', version: 1 },
        { increment: 'stock', by: -1 },
        { check: 'stock', version: 2 },
        { check: 'order', version: 0 },
        { set: 'order', json: '{"é":1}' },
        { delete: 'old' },
        { delete: 'never' },
        { increment: 'count' },
      ]);
      expect(results).to.deep.equal([
        { version: 1 },
        { value: 2 },
        { version: 2 },
        { version: 0 },
        { version: 1 },
        { deleted: true },
        { deleted: false },
        { value: 1 },
      ]);
      const left = await store.list(id, { prefix: '', afterKey: '', limit: 10 });
      expect(left.map(({ key, json, version }) => [key, json, version])).to.deep.equal([
        ['count', '1', 1],
        ['order', '{"é":1}', 1],
        ['stock', '2', 2],
      ]);
    });

    it('does nothing of a transaction of which one operation cannot be done', async () => {
      const id = await fresh();
      await store.set(id, { key: 'text', json: '"x"' });
      const refused = (last: StoredOperation) =>
        refusal(store.transaction(id, [{ set: 'a', json: '1' }, { delete: 'text' }, last]));
      expect(await refused({ check: 'a', version: 2 })).to.equal('kv-version-conflict');
      expect(await refused({ check: 'text', version: 1 })).to.equal('kv-version-conflict');
      const odd = store.transaction(id, [{ set: 'a', json: '1' }, { increment: 'text' }]);
      expect(await refusal(odd)).to.equal('capability-arguments-invalid');
      const left = await store.list(id, { prefix: '', afterKey: '', limit: 10 });
      expect(left.map(({ key }) => key)).to.deep.equal(['text']);
    });

    it('lets concurrent transactions and single writes over the same keys neither lose nor block each other', async () => {
      const id = await fresh();
      const moves = Array.from({ length: 12 }, (_, at) => {
        const [from, to] = at % 2 ? ['a', 'b'] : ['b', 'a'];
        return store.transaction(id, [{ increment: from!, by: -1 }, { increment: to!, by: 1 }, { increment: 'moves' }]);
      });
      const singles = Array.from({ length: 6 }, () => store.increment(id, 'a', 1));
      await Promise.all([...moves, ...singles]);
      const counts = await store.getMany(id, ['a', 'b', 'moves']);
      expect(counts.map((entry) => entry?.json)).to.deep.equal(['6', '0', '12']);
    });

    it('lets exactly one of many concurrent transactions take a key that is absent', async () => {
      const id = await fresh();
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          refusal(
            at % 2
              ? store.transaction(id, [
                  { check: 'seat', version: 0 },
                  { set: 'seat', json: String(at) },
                ])
              : store.set(id, { key: 'seat', json: String(at), ifVersion: 0 }),
          ),
        ),
      );
      expect(taken.filter((code) => code === 'none')).to.have.length(1);
    });

    it('does a call once, whoever makes it again, and another call under the same number anew', async () => {
      const id = await fresh();
      const invocationId = uuidv7();
      const key = (callSeq: number, args = 'a') => ({
        invocationId,
        callSeq,
        argsSha256: sha256Hex(args),
        keepUntilMs: Date.now() + 60_000,
      });
      await store.set(id, { key: 'x', json: '1' });
      const calls: (() => Promise<unknown>)[] = [
        () => store.increment(id, 'n', 5, key(1)),
        () => store.set(id, { key: 'x', json: '2', ifVersion: 1 }, key(2)),
        () => store.set(id, { key: 'new', json: '2', ifVersion: 0 }, key(3)),
        () => store.transaction(id, [{ check: 't', version: 0 }, { increment: 't' }, { increment: 'n' }], key(4)),
        () => store.delete(id, 'x', 2, key(5)),
      ];
      for (const call of calls) {
        const first = await call();
        expect(await call()).to.deep.equal(first);
      }
      expect((await store.get(id, 'n'))?.json).to.equal('6');
      expect(await store.increment(id, 'n', 5, key(1, 'b'))).to.deep.equal({ value: 11 });
      const again = await Promise.all([1, 2, 3, 4].map(() => store.increment(id, 'n', 1, key(6))));
      expect(again).to.deep.equal(Array(4).fill({ value: 12 }));
    });

    it('behaves as the model in memory does under any sequence of operations', async () => {
      const key = fc.constantFrom('a', 'b', 'b/c');
      const version = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined });
      const step = fc.oneof(
        fc.record({ op: fc.constant('set'), key, json: fc.constantFrom('1', '-7', '"x"', '{}'), ifVersion: version }),
        fc.record({ op: fc.constant('delete'), key, ifVersion: version.map((at) => at || undefined) }),
        fc.record({ op: fc.constant('increment'), key, by: fc.integer({ min: -9, max: 9 }) }),
      );
      const run = async (target: KvStore, id: string, each: { op: string; key: string } & Record<string, unknown>) => {
        const { op, ...args } = each;
        const call =
          op === 'set'
            ? target.set(id, args as never)
            : op === 'delete'
              ? target.delete(id, each.key, each.ifVersion as number | undefined)
              : target.increment(id, each.key, each.by as number);
        return call.catch((error: CapabilityError) => error.code);
      };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
          const model = memoryKvStore(Date.now);
          const id = await fresh();
          for (const each of steps) {
            expect(await run(store, id, each), JSON.stringify(each)).to.deep.equal(await run(model, id, each));
          }
          const all = { prefix: '', afterKey: '', limit: 100 };
          const plain = (entries: Awaited<ReturnType<KvStore['list']>>) =>
            entries.map(({ key: name, json, version: at }) => ({ name, json, at }));
          expect(plain(await store.list(id, all))).to.deep.equal(plain(await model.list(id, all)));
        }),
        { numRuns: 40 },
      );
    });
  });
}
