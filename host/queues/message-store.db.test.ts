import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { QUEUE_BACKLOG_MAX } from '../../plugins-sdk/contract/index.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { type QueuesPorts, startQueues } from './compose.ts';
import type { NewMessage } from './contract.ts';
import { type MessageStore, messageStore } from './message-store.ts';

describe('messageStore', () => {
  let database: TestDatabase;
  let store: MessageStore;
  let installationId: string;
  before(async () => {
    database = await testDatabase();
    store = messageStore(database.knex);
  });
  after(() => database.close());
  beforeEach(async () => {
    await database.knex('queue_messages').delete();
    installationId = await addInstallation(database);
  });

  const message = (changes: Partial<NewMessage> = {}): NewMessage => ({
    id: uuidv7(),
    callId: uuidv7(),
    installationId,
    queue: 'mails',
    key: null,
    payload: '{"to":"a\\u0000b"}',
    delayMs: 0,
    attemptsMax: 3,
    depth: 1,
    seed: '0f'.repeat(32),
    ...changes,
  });
  const stateOf = async (id: string) => {
    const { items } = await store.page(installationId, {});
    const { state, attempts, error } = items.find((each) => each.id === id)!;
    return { state, attempts, error };
  };

  it('knows whether there are messages', async () => {
    expect(await store.isUsed()).to.equal(false);
    await store.add(message());
    expect(await store.isUsed()).to.equal(true);
  });

  it('stores a message once for the same call, and once for the same key of a queue', async () => {
    const first = message({ key: 'order-1' });
    expect(await store.add(first)).to.deep.equal({ id: first.id, stored: true, rank: 0 });
    expect(await store.add({ ...first, id: uuidv7() })).to.deep.equal({ id: first.id, stored: false, rank: 1 });
    expect(await store.add(message({ key: 'order-1' }))).to.include({ id: first.id, stored: false });
    expect(await store.add(message({ key: 'order-1', queue: 'other' }))).to.include({ stored: true });
    expect(await store.add(message())).to.deep.include({ stored: true, rank: 2 });
    const other = await addInstallation(database);
    expect(await store.add(message({ key: 'order-1', installationId: other }))).to.deep.include({
      stored: true,
      rank: 0,
    });
  });

  it('keeps what whoever runs it needs, and shows the rest to its operator', async () => {
    const sent = message({ delayMs: 60_000 });
    await store.add(sent);
    expect(await store.find(sent.id)).to.deep.include({
      payload: sent.payload,
      seed: sent.seed,
      state: 'waiting',
      attempts: 0,
      depth: 1,
    });
    const [shown] = (await store.page(installationId, {})).items;
    expect(shown).to.deep.include({
      id: sent.id,
      queue: 'mails',
      payload: { to: 'a\u0000b' },
      error: null,
      attemptsMax: 3,
    });
    expect(Date.parse(shown!.dueAt) - Date.parse(shown!.createdAt)).to.equal(60_000);
    expect(await store.find(uuidv7())).to.equal(null);
  });

  it('takes a message through its attempts to its end, and back from the dead', async () => {
    const { id } = (await store.add(message()))!;
    await store.failed(id, 'plugin-threw', 1_000);
    expect(await stateOf(id)).to.deep.equal({ state: 'waiting', attempts: 1, error: 'plugin-threw' });
    expect(await store.revive(installationId, id)).to.equal(null);
    await store.failed(id, 'cpu-limit', null);
    expect(await stateOf(id)).to.deep.equal({ state: 'dead', attempts: 2, error: 'cpu-limit' });
    await store.done(id);
    expect((await stateOf(id)).state).to.equal('dead');
    expect(await store.revive(await addInstallation(database), id)).to.equal(null);
    expect(await store.revive(installationId, id)).to.include({ state: 'waiting', attempts: 0 });
    await store.done(id);
    expect(await stateOf(id)).to.deep.equal({ state: 'done', attempts: 0, error: null });
  });

  it('lists by state and queue, newest first, in pages', async () => {
    const ids: string[] = [];
    for (const queue of ['a', 'b', 'a', 'a']) ids.push((await store.add(message({ queue })))!.id);
    await store.failed(ids[3]!, 'x', null);
    const first = await store.page(installationId, { limit: 2 });
    const second = await store.page(installationId, { limit: 2, cursor: first.nextCursor! });
    expect([...first.items, ...second.items].map(({ id }) => id)).to.deep.equal(ids.toReversed());
    expect(second.nextCursor).to.equal(null);
    const some = async (filter: object) => (await store.page(installationId, filter)).items.map(({ id }) => id);
    expect(await some({ queue: 'a', state: 'waiting' })).to.deep.equal([ids[2], ids[0]]);
    expect(await some({ state: 'dead' })).to.deep.equal([ids[3]]);
    await store.remove(installationId, ids[3]!);
    expect(await some({ state: 'dead' })).to.deep.equal([]);
  });

  it('stores no more messages of an installation than may wait', async () => {
    await database.knex.raw(
      `insert into queue_messages (id, call_id, installation_id, queue, payload, attempts_max, depth, seed)
       select gen_random_uuid(), gen_random_uuid(), ?, 'mails', '1', 1, 0, repeat('0', 64) from generate_series(1, ?)`,
      [installationId, QUEUE_BACKLOG_MAX - 1],
    );
    expect(await store.add(message())).to.include({ stored: true, rank: QUEUE_BACKLOG_MAX - 1 });
    expect(await store.add(message())).to.equal(null);
    expect(await store.add(message({ installationId: await addInstallation(database) }))).to.include({ stored: true });
  });

  const overdue = () => Array.fromAsync(store.overdue(60_000, 2));
  const areLate = (values: object = { installation_id: installationId }) =>
    database
      .knex('queue_messages')
      .where(values)
      .update({ due_at: database.knex.raw(`now() - interval '2 minutes'`) });

  it('finds all that should have run long ago, page by page, also where many were due at once', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) ids.push((await store.add(message()))!.id);
    await areLate();
    expect(await overdue()).to.deep.equal(ids);
  });

  it('finds no messages of installations that may not run, until they may', async () => {
    const { id } = (await store.add(message()))!;
    await areLate();
    const change = (values: object) => database.knex('installations').where({ id: installationId }).update(values);
    for (const rests of [{ enabled: false }, { deleted_at: new Date() }]) {
      await change(rests);
      expect(await overdue()).to.deep.equal([]);
      await change({ enabled: true, deleted_at: null });
      expect(await overdue()).to.deep.equal([id]);
    }
    const conduct = () => database.knex('installation_conduct');
    await conduct().insert({
      installation_id: installationId,
      score: 1,
      strikes: 1,
      scored_at: new Date(),
      suspended_at: new Date(),
    });
    expect(await overdue()).to.deep.equal([]);
    await conduct().update({ suspended_at: null });
    expect(await overdue()).to.deep.equal([id]);
  });

  it('hands a lost message out in one sweep, however many others are late, and none when the host closes', async () => {
    await database.knex.raw(
      `insert into queue_messages (id, call_id, installation_id, queue, payload, attempts_max, depth, seed)
       select gen_random_uuid(), gen_random_uuid(), ?, 'mails', '1', 1, 0, repeat('0', 64) from generate_series(1, 1200)`,
      [await addInstallation(database)],
    );
    await areLate({});
    const { id: lost } = (await store.add(message()))!;
    await areLate({ id: lost });
    const dispatched: string[] = [];
    const dispatch = async ({ id }: { id: string }) => void dispatched.push(id);
    const { sweep } = await startQueues({
      store,
      dispatcher: { dispatch, open: async () => {}, start: () => {}, close: async () => {} },
    } as unknown as QueuesPorts);
    await sweep(AbortSignal.abort());
    expect(dispatched).to.deep.equal([]);
    await sweep(new AbortController().signal);
    expect(dispatched.at(-1)).to.equal(lost);
    expect(new Set(dispatched).size).to.equal(1_201);
  });

  it('finds what should have run long ago, and forgets what ended long ago', async () => {
    const { knex } = database;
    const [late, done, dead, fresh] = await Promise.all([1, 2, 3, 4].map(async () => (await store.add(message()))!.id));
    await knex('queue_messages')
      .where({ id: late })
      .update({ due_at: knex.raw(`now() - interval '2 minutes'`) });
    expect(await overdue()).to.deep.equal([late]);
    await store.done(done!);
    await store.failed(dead!, 'x', null);
    await database.asOwner(async (owner) => {
      await owner.raw('alter table queue_messages disable trigger touch_updated_at');
      await owner('queue_messages').update({ updated_at: owner.raw(`now() - interval '2 days'`) });
    });
    await store.sweep(86_400_000, 3 * 86_400_000);
    const left = (await store.page(installationId, {})).items.map(({ id }) => id);
    expect(left.sort()).to.deep.equal([late!, dead!, fresh!].sort());
  });
});
