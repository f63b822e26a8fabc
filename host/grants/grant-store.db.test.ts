import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { grantStore } from './grant-store.ts';

describe('grantStore', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  const names = async (id: string) =>
    (await grantStore(database.knex).times(id)).map(({ capability }) => capability).sort();

  it('keeps the times of grants, whoever changes them', async () => {
    const store = grantStore(database.knex);
    const id = await addInstallation(database);
    await database
      .knex('installations')
      .where({ id })
      .update({ grants: ['kv', 'log'] });
    expect(await names(id)).to.deep.equal(['kv', 'log']);
    const [before] = (await store.times(id)).filter(({ capability }) => capability === 'log');
    await Promise.all([store.grant(id, 'notify'), store.grant(id, 'notify'), store.revoke(id, 'kv')]);
    expect(await names(id)).to.deep.equal(['log', 'notify']);
    expect(await store.grantsOf(id)).to.have.members(['log', 'notify']);
    expect((await store.times(id)).find(({ capability }) => capability === 'log')).to.deep.equal(before);
  });

  it('tells every host of a change, and none of one that changes nothing', async () => {
    const store = grantStore(database.knex);
    const id = await addInstallation(database);
    const microseconds = database.knex.raw('extract(epoch from updated_at) * 1000000 as updated');
    const updates = async () =>
      Number((await database.knex('installations').where({ id }).first(microseconds)).updated);
    const before = await updates();
    await store.revoke(id, 'kv');
    expect(await updates()).to.equal(before);
    await store.grant(id, 'kv');
    expect(await updates()).to.be.greaterThan(before);
  });

  it('adds usage up by the hour, remembers the latest use, and leaves out who is gone', async () => {
    const store = grantStore(database.knex);
    const id = await addInstallation(database);
    await store.grant(id, 'kv');
    const sum = { capability: 'kv', calls: 2, refused: 1, bytes: 30, wallMs: 1.5, usedAtMs: 1_800_000_000_000 };
    const add = (sums: object[], atMs = 1_800_000_000_000) => store.add(sums as never, atMs);
    await add([
      { ...sum, installationId: id },
      { ...sum, installationId: uuidv7() },
    ]);
    await add([{ ...sum, installationId: id, usedAtMs: 1_700_000_000_000 }]);
    await add([{ ...sum, installationId: id, calls: 0, usedAtMs: null }], 1_800_003_600_000);
    const rows = await database.knex('usage_capabilities').where({ installation_id: id });
    expect(rows.map(({ calls, refused, bytes, wall_ms: wallMs }) => [calls, refused, bytes, wallMs])).to.deep.equal([
      ['4', '2', '60', 3],
    ]);
    expect((await store.times(id))[0]!.usedAtMs).to.equal(1_800_000_000_000);
  });
});
