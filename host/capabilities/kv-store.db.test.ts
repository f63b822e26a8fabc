import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
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
});
