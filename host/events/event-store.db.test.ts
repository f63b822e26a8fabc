import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { EVENT_BACKLOG_MAX, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { eventStore } from './event-store.ts';

const SUBSCRIBES = { events: { subscribes: [{ topic: 'item.sold' }] } };
const LEASE_MS = 60_000;

/** Makes events of a publisher old: the application itself may not. */
const age = (database: TestDatabase, publisher: string) =>
  database.asOwner(async (owner) => {
    const longAgo = owner.raw("now() - interval '8 days'");
    await owner('events').where({ installation_id: publisher }).update({ published_at: longAgo });
  });

describe('eventStore', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  /** An operator with a publisher and with one installation for each manifest. */
  const market = async (...manifests: object[]) => {
    const { knex } = database;
    const first = await addInstallation(database);
    const { operator_id: operatorId } = await knex('installations').where({ id: first }).first();
    const ids = [first];
    for (const manifest of manifests) ids.push(await addInstallation(database, manifest, operatorId));
    await knex('installations')
      .whereIn('id', ids)
      .update({ grants: ['events'] });
    const [publisher, ...subscribers] = ids as [string, ...string[]];
    return { installation: { id: publisher, plugin: 'acme/hello', operator: { id: operatorId } }, subscribers };
  };
  type Market = Awaited<ReturnType<typeof market>>;
  const publish = ({ installation }: Market, eventId = uuidv7(), topic = 'item.sold') => {
    const event = { eventId, installation, topic, payload: '{"a":"é"}', depth: 2, seed: 'a'.repeat(64) };
    const key = { invocationId: eventId, callSeq: 1, argsSha256: sha256Hex(eventId), keepUntilMs: Date.now() + 60_000 };
    return eventStore(database.knex).publish(event, key);
  };
  /** Claims of these tests only: others may have left deliveries. */
  const claim = async ({ subscribers }: Market, limit = 1_000, leaseMs = LEASE_MS) =>
    (await eventStore(database.knex).claim(limit, leaseMs)).filter(({ installationId }) =>
      subscribers.includes(installationId),
    );
  const rows = ({ subscribers }: Market) => database.knex('event_deliveries').whereIn('installation_id', subscribers);

  it('addresses everybody of the operator who subscribed, is enabled and may hear it, and nobody else', async () => {
    const from = (plugin: string) => ({ events: { subscribes: [{ topic: 'item.sold', from: plugin }] } });
    const own = await market(
      SUBSCRIBES,
      from('acme/hello'),
      from('acme/other'),
      {},
      SUBSCRIBES,
      SUBSCRIBES,
      SUBSCRIBES,
    );
    const [all, named, other, deaf, disabled, denied, gone] = own.subscribers as string[];
    const of = (id: string | undefined) => database.knex('installations').where({ id });
    await of(disabled).update({ enabled: false });
    await of(denied).update({ grants: [] });
    await of(gone).update({ deleted_at: new Date() });
    const stranger = await market(SUBSCRIBES);
    expect(await publish(own)).to.deep.equal({ subscribers: 2, stored: true });
    const addressed = (await rows(own)).map(({ installation_id: id }) => id);
    expect(addressed).to.have.members([all, named]).and.not.include.members([other, deaf]);
    expect(await rows(stranger)).to.deep.equal([]);
    const [delivery] = await claim(own);
    const { slug } = await of(own.installation.id).first();
    expect(delivery).to.deep.include({
      topic: 'item.sold',
      payload: '{"a":"é"}',
      depth: 2,
      attempt: 1,
      from: { plugin: 'acme/hello', installation: slug },
    });
  });

  it('stores nothing where nobody subscribed', async () => {
    const own = await market(SUBSCRIBES);
    expect(await publish(own, uuidv7(), 'item.lost')).to.deep.equal({ subscribers: 0, stored: false });
    expect(await database.knex('events').where({ installation_id: own.installation.id })).to.deep.equal([]);
  });

  it('publishes once, however often the call is made', async () => {
    const own = await market(SUBSCRIBES);
    const eventId = uuidv7();
    const answers = await Promise.all([1, 2, 3].map(() => publish(own, eventId)));
    expect(answers).to.deep.equal(Array(3).fill({ subscribers: 1, stored: true }));
    const [delivery] = await claim(own);
    await eventStore(database.knex).done(delivery!);
    // Also after it was delivered and forgotten.
    await publish(own, eventId);
    expect(await rows(own)).to.deep.equal([]);
  });

  it('gives a delivery to one host at a time, and to another under the same number when the first is gone', async () => {
    const own = await market(SUBSCRIBES);
    await publish(own);
    const [first] = await claim(own);
    expect(await claim(own)).to.deep.equal([]);
    await rows(own).update({ claimed_until: database.knex.raw("now() - interval '1 second'") });
    const [second] = await claim(own);
    expect(second).to.deep.equal({ ...first, claims: 2 });
    const store = eventStore(database.knex);
    await store.failed(second!, 'plugin-threw', 0);
    // The first host comes back: what it says of an attempt that is over counts no more.
    await store.failed(first!, 'plugin-threw', null);
    expect((await claim(own))[0]).to.deep.include({ attempt: 2, claims: 1 });
  });

  it('shares what is due among hosts that ask at the same time', async () => {
    const own = await market(SUBSCRIBES, SUBSCRIBES, SUBSCRIBES);
    await Promise.all([1, 2, 3, 4].map(() => publish(own)));
    const claims = (await Promise.all([1, 2, 3, 4].map(() => claim(own)))).flat();
    const names = claims.map(({ eventId, installationId }) => `${eventId} ${installationId}`);
    expect(new Set(names).size).to.equal(12);
    expect(names).to.have.length(12);
  });

  it('waits before the next attempt, postpones without counting, and gives up', async () => {
    const own = await market(SUBSCRIBES);
    await publish(own);
    const store = eventStore(database.knex);
    const [first] = await claim(own);
    await store.failed(first!, 'wall-limit', 3_600_000);
    expect(await claim(own)).to.deep.equal([]);
    await rows(own).update({ next_at: database.knex.fn.now() });
    const [second] = await claim(own);
    await store.postpone(second!, 0, true);
    const [begun] = await claim(own);
    expect(begun).to.deep.include({ attempt: 2, claims: 2 });
    // A sandbox without room may refuse it for as long as it likes.
    await store.postpone(begun!, 0, false);
    const [again] = await claim(own);
    expect(again).to.deep.include({ attempt: 2, claims: 2 });
    await store.failed(again!, 'wall-limit', null);
    expect(await claim(own)).to.deep.equal([]);
    expect((await rows(own))[0]).to.include({ error: 'wall-limit' });
  });

  it('refuses an event where the operator has too many under way, and others go on', async () => {
    const [full, free] = [await market(SUBSCRIBES), await market(SUBSCRIBES)];
    await publish(full);
    const { event_id: some } = await rows(full).first();
    await database.knex.raw(
      `WITH copied AS (
         INSERT INTO events (id, operator_id, installation_id, plugin, topic, payload, depth, seed)
         SELECT gen_random_uuid(), operator_id, installation_id, plugin, topic, payload, depth, seed
         FROM events, generate_series(1, ?) WHERE id = ? RETURNING id)
       INSERT INTO event_deliveries (event_id, installation_id, operator_id, next_at)
       SELECT id, ?, ?, now() + interval '1 hour' FROM copied`,
      [EVENT_BACKLOG_MAX - 1, some, full.subscribers[0]!, full.installation.operator.id],
    );
    expect(await publish(full)).to.deep.equal({ subscribers: 1, stored: false });
    expect(await publish(free)).to.deep.equal({ subscribers: 1, stored: true });
    await rows(full).delete();
  });

  it('forgets events that everybody got, and deliveries that were given up long ago', async () => {
    const own = await market(SUBSCRIBES);
    await Promise.all([publish(own), publish(own), publish(own)]);
    const store = eventStore(database.knex);
    const [delivered, givenUp] = await claim(own);
    await store.done(delivered!);
    await store.failed(givenUp!, 'wall-limit', null);
    const events = () => database.knex('events').where({ installation_id: own.installation.id });
    await age(database, own.installation.id);
    await rows(own)
      .whereNotNull('given_up_at')
      .update({ given_up_at: database.knex.raw("now() - interval '8 days'") });
    await store.sweep();
    expect(await rows(own)).to.have.length(1);
    expect(await events()).to.have.length(1);
  });
});
