import type { Socket } from 'node:net';
import { expect } from 'chai';
import type pg from 'pg';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { KV_ENTRIES_MAX, KV_READ_BYTES_MAX, KV_VALUE_BYTES_MAX, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { openDatabase } from '../database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import type { KvStore } from './kv-store.contract.ts';
import { describeKvStore } from './kv-store.suite.ts';
import { kvStore } from './kv-store.ts';

describe('kvStore', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  describeKvStore('PostgreSQL', async () => ({
    store: kvStore(database.knex),
    fresh: () => addInstallation(database),
  }));

  it('reads for many at once, each what is its own, and fails for nobody else what the server refuses', async () => {
    const store = kvStore(database.knex);
    const [one, other] = [await addInstallation(database), await addInstallation(database)];
    await store.set(one, { key: 'x', json: '1' });
    await store.set(other, { key: 'x', json: '2' });
    const reads = Array.from({ length: 20 }, () => [store.get(one, 'x'), store.get(other, 'x'), store.get(one, 'y')]);
    const refused = store.get('no installation', 'x').catch(({ code }) => code);
    for (const [mine, theirs, absent] of await Promise.all(reads.map((each) => Promise.all(each)))) {
      expect([mine, theirs, absent]).to.deep.equal([
        { key: 'x', json: '1', version: 1 },
        { key: 'x', json: '2', version: 1 },
        null,
      ]);
    }
    expect(await refused).to.equal('22P02');
  });

  /** What the server sends for it. */
  const bytesFor = async (work: (store: KvStore) => Promise<unknown>): Promise<number> => {
    const { system, close } = await openDatabase({ appUrl: database.appUrl, poolMax: 1 });
    const connection: { connection: pg.Connection } = await system.client.acquireConnection();
    await system.client.releaseConnection(connection);
    const stream = connection.connection.stream as Socket;
    const before = stream.bytesRead;
    await work(kvStore(system));
    const bytes = stream.bytesRead - before;
    await close();
    return bytes;
  };

  it('lets the server send no more than a page, and none of what is too large to be read at once', async () => {
    const id = await addInstallation(database);
    await database.knex.raw(
      `INSERT INTO kv_entries (installation_id, key, value, version)
       SELECT ?, 'k' || n, '"' || repeat('a', ${KV_VALUE_BYTES_MAX - 2}) || '"', 1 FROM generate_series(10, 59) AS n`,
      [id],
    );
    const list = (store: KvStore) => store.list(id, { prefix: '', afterKey: '', limit: 1_001 });
    expect(await bytesFor(list)).to.be.within(KV_READ_BYTES_MAX, KV_READ_BYTES_MAX + KV_VALUE_BYTES_MAX + 10_000);
    const keys = Array.from({ length: 50 }, (_, at) => `k${10 + at}`);
    const refused = (store: KvStore) =>
      store.getMany(id, keys).catch(({ code }) => expect(code).to.equal('kv-read-too-large'));
    expect(await bytesFor(refused)).to.be.below(10_000);
    const operations = keys.slice(0, 10).flatMap((key) => [{ check: key, version: 1 }, { delete: key }]);
    expect(await bytesFor((store) => store.transaction(id, operations))).to.be.below(20_000);
    const [first] = await kvStore(database.knex).list(id, { prefix: '', afterKey: '', limit: 1 });
    expect(first!.key).to.equal('k20');
  });

  it('counts an expired entry as absent, starts it at version 1 again, and sweeps it', async () => {
    const store = kvStore(database.knex);
    const id = await addInstallation(database);
    const expire = () =>
      database.knex('kv_entries').update({ expires_at: database.knex.raw("now() - interval '1 second'") });
    await store.set(id, { key: 'x', json: '1', ttlSeconds: 3600 });
    await store.set(id, { key: 'x', json: '2', ttlSeconds: 3600 });
    await expire();
    expect(await store.get(id, 'x')).to.equal(null);
    expect(await store.list(id, { prefix: '', afterKey: '', limit: 10 })).to.deep.equal([]);
    expect(await store.delete(id, 'x')).to.deep.equal({ deleted: false });
    expect(await store.set(id, { key: 'x', json: '3', ifVersion: 0, ttlSeconds: 3600 })).to.deep.equal({ version: 1 });
    await expire();
    expect(await store.increment(id, 'x', 5)).to.deep.equal({ value: 5 });
    await expire();
    await store.sweepExpired();
    expect(await database.knex('kv_entries').where({ installation_id: id })).to.deep.equal([]);
  });

  it('keeps any JSON text as it is, also with U+0000 and lone surrogates', async () => {
    const store = kvStore(database.knex);
    const id = await addInstallation(database);
    const json = JSON.stringify({ text: 'a\u0000b\ud800', list: [1e21, -0.5, null] });
    await store.set(id, { key: 'x', json });
    expect((await store.get(id, 'x'))?.json).to.equal(json);
  });

  it('counts an expired entry as absent in a transaction as well, and leaves no row for a key that is absent', async () => {
    const store = kvStore(database.knex);
    const id = await addInstallation(database);
    await store.set(id, { key: 'x', json: '7', ttlSeconds: 3600 });
    const expired = { expires_at: database.knex.raw("now() - interval '1 second'") };
    await database.knex('kv_entries').where({ installation_id: id }).update(expired);
    const operations = [{ check: 'x', version: 0 }, { check: 'y', version: 0 }, { increment: 'x' }];
    expect((await store.transaction(id, operations)).at(-1)).to.deep.equal({ value: 1 });
    const rows = await database.knex('kv_entries').where({ installation_id: id });
    expect(rows.map(({ key, version }) => [key, version])).to.deep.equal([['x', '1']]);
  });

  it('holds the quota in transactions, and counts what they remove', async () => {
    const store = kvStore(database.knex);
    const id = await addInstallation(database);
    await database.knex.raw(
      "INSERT INTO kv_entries (installation_id, key, value, version) SELECT ?, 'k' || n, '0', 1 FROM generate_series(1, ?) AS n",
      [id, KV_ENTRIES_MAX],
    );
    const refused = await store.transaction(id, [{ set: 'new', json: '1' }]).catch(({ code }) => code);
    expect(refused).to.equal('kv-quota-exceeded');
    const swapped = await store.transaction(id, [{ delete: 'k1' }, { set: 'new', json: '1' }]);
    expect(swapped).to.deep.equal([{ deleted: true }, { version: 1 }]);
    const increment = await store.increment(id, 'other', 1).catch(({ code }) => code);
    expect(increment).to.equal('kv-quota-exceeded');
  });

  it('forgets calls whose time is over, and only those', async () => {
    const store = kvStore(database.knex);
    const id = await addInstallation(database);
    const key = (callSeq: number, keepUntilMs: number) => ({
      invocationId: `sweep-${id}`,
      callSeq,
      argsSha256: sha256Hex('a'),
      keepUntilMs,
    });
    await store.increment(id, 'n', 1, key(1, Date.now() - 1_000));
    await store.increment(id, 'n', 1, key(2, Date.now() + 60_000));
    await store.sweepExpired();
    const kept = await database.knex('call_results').where({ invocation_id: `sweep-${id}` });
    expect(kept.map(({ call_seq }) => call_seq)).to.deep.equal([2]);
  });
});
