import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { createAuditIn } from '../../registry/index.ts';
import { createEgress, type Egress } from '../egress/send-request.ts';
import { rangeOf } from '../egress/special-ranges.ts';
import { createEnvelope, type Envelope } from '../encryption/envelope.ts';
import { createDeliverer, type Deliverer } from './deliver-webhooks.ts';
import { deliveryStore } from './delivery-store.ts';
import { dueStore } from './due-store.ts';
import { endpointStore } from './endpoint-store.ts';
import { feedStore } from './feed-store.ts';
import { createWebhooks } from './manage-webhooks.ts';
import { ATTEMPTS_MAX } from './rules/next-attempt.ts';
import { openReceiver, type Receiver } from './test-receiver.ts';
import { unfoldTrail } from './unfold-store.ts';

const SECRET = 'whsec_test';
const ALLOWED = [rangeOf('127.0.0.1/32')];
const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('webhooks over real receivers', () => {
  let database: TestDatabase;
  let envelope: Envelope;
  let egress: Egress;
  const receivers: Receiver[] = [];
  const clock = { ms: 0 };
  const [acme, other] = [v7(), v7()];
  const auditIn = createAuditIn({ nowMs: () => clock.ms, newId: v7, origin: () => null });
  const unfold = (onUnreadable: (id: string, error: unknown) => void = (_, error) => expect.fail(String(error))) =>
    unfoldTrail({ system: database.knex, nowMs: () => clock.ms, newId: v7, onUnreadable });
  const revokeKey = (organisationId = acme) =>
    auditIn(database.knex)({
      action: 'key.revoke',
      actor: { via: 'system', part: 'test' },
      organisationId,
      subject: { kind: 'key', id: 'a'.repeat(64) },
      after: { compromisedSince: null, blockedReleases: 0 },
    });
  const host = (timeoutMs = 5_000): Deliverer =>
    createDeliverer({
      store: dueStore(database.knex, auditIn),
      post: (request) =>
        egress.send({
          ...request,
          method: 'POST',
          redirect: 'manual',
          mayReach: () => true,
          headersFor: async () => [],
        }),
      openSecret: (id, sealed) => envelope.open({ table: 'webhook_secrets', row: id, column: 'sealed' }, sealed),
      timeoutMs,
      random: () => 0,
      log,
      nowMs: () => clock.ms,
    });
  const deliverAll = async (deliverer = host()) => {
    await deliverer.tick();
    await deliverer.settled();
  };
  const addEndpoint = async (url: string, types: 'key.revoked'[] = [], organisationId = acme): Promise<string> => {
    const id = v7();
    const secretId = v7();
    const at = new Date(clock.ms);
    const endpoints = endpointStore(database.knex);
    await endpoints.insert({ id, organisationId, url, label: 'test', types, at });
    const sealed = envelope.seal({ table: 'webhook_secrets', row: secretId, column: 'sealed' }, SECRET);
    await endpoints.addSecret({ id: secretId, endpointId: id, organisationId, sealed, at });
    return id;
  };
  const receiver = async (answer?: RequestListener) => {
    const opened = await openReceiver(answer);
    receivers.push(opened);
    return opened;
  };
  const deliveriesOf = async (endpointId: string) => (await deliveryStore(database.knex).page(endpointId, {})).items;
  const endpointOf = async (id: string) => (await endpointStore(database.knex).find(acme, id))!;

  beforeEach(async () => {
    database = await testDatabase();
    clock.ms = Date.parse('2030-01-01T00:00:00Z');
    envelope = createEnvelope(new Map([[1, randomBytes(32)]]));
    egress = createEgress({
      resolveHost: async (name) => (name === 'inside.test' ? ['10.0.0.7'] : ['127.0.0.1']),
      allowed: ALLOWED,
      allowHttp: true,
      responseBytesMax: 64 * 1024,
      userAgent: 'test',
    });
    await database.knex('organisations').insert([
      { id: acme, slug: 'acme', kind: 'publisher', name: 'Acme' },
      { id: other, slug: 'other', kind: 'publisher', name: 'Other' },
    ]);
  });
  afterEach(async () => {
    for (const each of receivers.splice(0)) await each.close();
    await egress.close();
    await database.close();
  });

  it('carry an event to whom it concerns, signed, with its ids, and once', async () => {
    const shop = await receiver();
    const id = await addEndpoint(shop.url);
    await addEndpoint(shop.url, [], other);
    await revokeKey();
    await unfold();
    await deliverAll();
    await deliverAll();
    const [event, ...more] = shop.events(SECRET, clock.ms);
    expect(more).to.deep.equal([]);
    expect(event).to.deep.include({ position: 1, type: 'key.revoked', version: 1, at: '2030-01-01T00:00:00.000Z' });
    const [delivery] = await deliveriesOf(id);
    expect(shop.received[0]!.headers).to.include({
      'gatehouse-delivery': delivery!.id,
      'gatehouse-event': event!.id,
      'gatehouse-event-type': 'key.revoked',
    });
    expect(delivery).to.include({ state: 'delivered', cause: 'event', type: 'key.revoked', nextAt: null });
    expect(delivery!.attempts[0]).to.include({ status: 200, error: null, excerpt: 'thanks' });
    expect((await feedStore(database.knex).after(acme, 0, 10)).map(({ id: each }) => each)).to.deep.equal([event!.id]);
  });

  it('are tried again with growing waits, log what was answered, and are dead after twelve attempts', async () => {
    const broken = await receiver(
      (_, response) => void response.writeHead(500).end(`Oh\u0000 no.${'x'.repeat(5_000)}`),
    );
    const id = await addEndpoint(broken.url);
    await revokeKey();
    await unfold();
    const waits: number[] = [];
    for (;;) {
      await deliverAll();
      const [{ nextAt } = { nextAt: null }] = await deliveriesOf(id);
      if (nextAt === null) break;
      const beforeMs = clock.ms;
      waits.push((Date.parse(nextAt) - beforeMs) / 1_000);
      clock.ms = Date.parse(nextAt) - 1;
      await deliverAll();
      expect(broken.received, 'not a millisecond early').to.have.length(waits.length);
      clock.ms += 1;
    }
    expect(waits.slice(0, 4)).to.deep.equal([10, 30, 90, 270]);
    expect(broken.received).to.have.length(ATTEMPTS_MAX);
    const [dead] = await deliveriesOf(id);
    expect(dead).to.include({ state: 'dead' });
    expect(dead!.attempts).to.have.length(ATTEMPTS_MAX);
    expect(dead!.attempts[0]).to.include({ status: 500, error: null });
    expect(dead!.attempts[0]!.excerpt)
      .to.have.length(1_024)
      .and.to.match(/^Oh {2}no\.x+$/);
    // Each is signed anew: the first would be too old for whoever receives the last.
    const times = broken.received.map(({ headers }) => /t=(\d+)/.exec(String(headers['gatehouse-signature']))![1]);
    expect(new Set(times).size).to.equal(ATTEMPTS_MAX);
  });

  it('give up on a receiver that hangs, redirects, answers without end, is inside, or is not there, and on no other', async () => {
    const hanging = await receiver(() => {});
    const inside = await receiver();
    const redirecting = await receiver((_, response) => void response.writeHead(307, { location: inside.url }).end());
    const endless = await receiver((request, response) => {
      response.writeHead(200);
      const write = () => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', write);
      };
      request.socket.on('error', () => {});
      write();
    });
    const fine = await receiver();
    const gone = await receiver();
    await gone.close();
    const errors: Record<string, RegExp> = {
      [hanging.url]: /^fetch-timeout/,
      [redirecting.url]: /redirect, which is not followed/,
      [endless.url]: /^fetch-response-too-large/,
      'http://inside.test/hook': /^fetch-address-refused: The address leads to no host on the public internet/,
      [gone.url]: /^fetch-failed.*ECONNREFUSED/,
    };
    const ids = new Map<string, string>();
    for (const url of [...Object.keys(errors), fine.url]) ids.set(url, await addEndpoint(url));
    await revokeKey();
    await unfold();
    await deliverAll(host(5_000));
    for (const [url, error] of Object.entries(errors)) {
      const [delivery] = await deliveriesOf(ids.get(url)!);
      expect(delivery, url).to.include({ state: 'waiting' });
      expect(delivery!.attempts[0]!.error, url).to.match(error);
    }
    expect((await deliveriesOf(ids.get(fine.url)!))[0]).to.include({ state: 'delivered' });
    expect(inside.received).to.deep.equal([]);
  });

  it('are sent by one host at a time, and by another where one died in the middle', async () => {
    let answer: RequestListener = () => {};
    const shop = await receiver((...request) => answer(...request));
    const id = await addEndpoint(shop.url);
    await revokeKey();
    await Promise.all([unfold(), unfold()]);
    const [first, second] = [host(60_000), host(60_000)];
    await Promise.all([first.tick(), second.tick()]);
    while (shop.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await deliverAll(host());
    expect(shop.received).to.have.length(1);
    // Neither writes how it ended: as if both were killed.
    await Promise.all([first.close(), second.close()]);
    expect((await deliveriesOf(id))[0]).to.deep.include({ state: 'waiting', attempts: [] });
    answer = (_, response) => void response.end();
    await deliverAll(host());
    expect(shop.received, 'while it is claimed').to.have.length(1);
    clock.ms += 61_000;
    await deliverAll(host());
    expect((await deliveriesOf(id))[0]).to.include({ state: 'delivered' });
    const [one, two] = shop.received.map(({ headers }) => headers);
    expect(two!['gatehouse-delivery']).to.equal(one!['gatehouse-delivery']);
    expect(two!['gatehouse-event']).to.equal(one!['gatehouse-event']);
  });

  it('survive the death of the process that was sending them', async () => {
    let answer: RequestListener = () => {};
    const shop = await receiver((...request) => answer(...request));
    const id = await addEndpoint(shop.url);
    await revokeKey();
    await unfold();
    const sender = path.join(import.meta.dirname, 'test-sender.ts');
    const child = fork(sender, [database.appUrl, String(clock.ms), SECRET], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    while (shop.received.length === 0 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    expect((await exited)[1]).to.equal('SIGKILL');
    answer = (_, response) => void response.end();
    clock.ms += 61_000;
    await deliverAll();
    expect((await deliveriesOf(id))[0]).to.include({ state: 'delivered' });
    expect(new Set(shop.received.map(({ headers }) => headers['gatehouse-delivery'])).size).to.equal(1);
    expect(shop.received).to.have.length(2);
  });

  it('go five at a time to one endpoint, until all are there, whatever another one does', async () => {
    let open = 0;
    let most = 0;
    const busy = await receiver((_, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 20);
    });
    await addEndpoint(busy.url);
    for (let count = 0; count < 23; count += 1) await revokeKey();
    await unfold();
    await deliverAll();
    expect(busy.received).to.have.length(23);
    expect(most).to.be.at.most(5);
    const positions = busy.events(SECRET, clock.ms).map(({ position }) => position!);
    expect(positions.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 23 }, (_, index) => index + 1));
  });

  it('reach others although every endpoint of one organisation hangs with much that waits', async () => {
    const hanging = await receiver(() => {});
    for (let count = 0; count < 10; count += 1) await addEndpoint(hanging.url);
    for (let count = 0; count < 12; count += 1) await revokeKey();
    const fine = await receiver();
    const id = await addEndpoint(fine.url, [], other);
    await revokeKey(other);
    await unfold();
    const deliverer = host(60_000);
    await deliverer.tick();
    await deliverer.tick();
    const untilMs = Date.now() + 50_000;
    while (fine.received.length === 0 && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
    const came = fine.received.length;
    await deliverer.close();
    expect(came).to.equal(1);
    expect((await deliveriesOf(id))[0]).to.include({ state: 'delivered' });
  });

  it('are signed by one new secret where two rotations come at once: nobody is left with one that counts for nothing', async () => {
    const id = await addEndpoint('https://example.com/');
    const webhooks = createWebhooks({
      transaction: (work) =>
        database.knex.transaction((transaction) =>
          work({
            endpoints: endpointStore(transaction),
            deliveries: deliveryStore(transaction),
            audit: auditIn(transaction),
          }),
        ),
      makeSecret: () => SECRET,
      sealSecret: (row, secret) => envelope.seal({ table: 'webhook_secrets', row, column: 'sealed' }, secret),
      ...{ allowHttp: false, mayReachAddress: () => true, newId: v7, nowMs: () => clock.ms },
    });
    const actor = { via: 'system', part: 'test', organisation: { id: acme } } as never;
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([1, 2, 3].map(() => webhooks.rotate(actor, id, 60)));
      const rows = await database.knex('webhook_secrets').where({ endpoint_id: id });
      expect(rows.filter(({ expires_at }) => expires_at === null)).to.have.length(1);
      expect(rows).to.have.length(2);
    }
  });

  it('end for an endpoint that has failed for three days: it is paused, its organisation told, and it goes on when enabled', async () => {
    let status = 500;
    const shop = await receiver((_, response) => void response.writeHead(status).end());
    const id = await addEndpoint(shop.url);
    await revokeKey();
    await unfold();
    await deliverAll();
    expect((await endpointOf(id)).failingSince).to.equal('2030-01-01T00:00:00.000Z');
    clock.ms += 3 * 24 * 3_600_000;
    await deliverAll();
    expect(await endpointOf(id)).to.include({ state: 'paused', waiting: 1 });
    const [note] = await database.knex('notifications').where({ organisation_id: acme });
    expect(note).to.include({ kind: 'webhook-paused' });
    expect(note.body).to.include(`gate webhooks replay ${id} --since 2030-01-01T00:00:00.000Z`);
    // Nothing more is sent, and what happens now is for a replay.
    await revokeKey();
    await unfold();
    clock.ms += 24 * 3_600_000;
    await deliverAll();
    expect(shop.received).to.have.length(2);
    const types = (await feedStore(database.knex).after(acme, 0, 10)).map(({ type }) => type);
    expect(types).to.deep.equal(['key.revoked', 'webhook.paused', 'key.revoked']);
    status = 204;
    await endpointStore(database.knex).update(acme, id, { state: 'active', failingSince: null });
    await deliverAll();
    expect(await endpointOf(id)).to.include({ state: 'active', failingSince: null, waiting: 0 });
  });

  it('forget how long an endpoint failed as soon as it takes something', async () => {
    let status = 503;
    const shop = await receiver((_, response) => void response.writeHead(status).end());
    const id = await addEndpoint(shop.url);
    await revokeKey();
    await unfold();
    await deliverAll();
    status = 200;
    clock.ms += 10_000;
    await deliverAll();
    expect((await endpointOf(id)).failingSince).to.equal(null);
  });

  it('carry the types that were asked for, and nothing to an endpoint that is disabled', async () => {
    const shop = await receiver();
    const id = await addEndpoint(shop.url, ['key.revoked']);
    const disabled = await addEndpoint(shop.url);
    await endpointStore(database.knex).update(acme, disabled, { state: 'disabled' });
    const registered = { action: 'key.register', actor: { via: 'system' as const }, organisationId: acme };
    await auditIn(database.knex)({ ...registered, subject: { kind: 'key', id: 'b'.repeat(64) } });
    await revokeKey();
    await unfold();
    await deliverAll();
    expect(shop.events(SECRET, clock.ms).map(({ type }) => type)).to.deep.equal(['key.revoked']);
    expect(await deliveriesOf(disabled)).to.deep.equal([]);
    expect(await deliveriesOf(id)).to.have.length(1);
  });

  it('tell nothing that was undone, and everything that several wrote at once, in one order without gaps', async () => {
    await database.knex
      .transaction(async (transaction) => {
        await auditIn(transaction)({
          action: 'key.revoke',
          actor: { via: 'system' },
          organisationId: acme,
          subject: { kind: 'key', id: 'undone' },
        });
        throw new Error('undone');
      })
      .catch(() => {});
    await Promise.all(Array.from({ length: 30 }, (_, index) => revokeKey(index % 3 === 0 ? other : acme)));
    await Promise.all([unfold(), unfold(), unfold()]);
    await unfold();
    const feed = await feedStore(database.knex).after(acme, 0, 100);
    expect(feed.map(({ position }) => position)).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(await feedStore(database.knex).after(other, 0, 100)).to.have.length(10);
  });
});
