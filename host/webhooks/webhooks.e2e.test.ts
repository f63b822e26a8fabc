import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { v7 } from 'uuid';
import type { ApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { refusalOf } from '../../plugins-sdk/cli/test-refusal.ts';
import { OPERATOR_SLUG } from '../demo/people.ts';
import { startTestPlatform, type TestPlatform } from '../e2e/test-platform.ts';
import { openReceiver, type Receiver } from './test-receiver.ts';

const SETTINGS = {
  GATEHOUSE_EGRESS_ALLOW: '127.0.0.1/32',
  GATEHOUSE_EGRESS_HTTP: 'true',
  GATEHOUSE_RATE_LIMITS: 'webhook-organisation=8/3600',
};
const HELLO = {
  source: `import { definePlugin } from '@gatehouse/plugin-sdk';
    export default definePlugin({ routes: {} });`,
};
const run = promisify(execFile);

describe('webhooks and the feed of events', () => {
  let platform: TestPlatform;
  let publisher: ApiClient;
  let operator: ApiClient;
  let shop: Receiver;
  let slug: string;
  const receivers: Receiver[] = [];
  const receive = async () => {
    const opened = await openReceiver();
    receivers.push(opened);
    return opened;
  };
  const add = (api: ApiClient, url: string, more: object = {}) =>
    api.addWebhook({ id: v7(), url, label: 'test', types: [], ...more });
  /** Whoever never gets what they wait for fails by mocha's own deadline. */
  const until = async <Value>(
    look: () => Promise<Value | undefined | false> | Value | undefined | false,
  ): Promise<Value> => {
    for (;;) {
      const found = await look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const gate = async (token: string, ...args: string[]) => {
    const env = { ...process.env, GATEHOUSE_URL: platform.host.url, GATEHOUSE_TOKEN: token, NO_COLOR: '1' };
    return (await run(process.execPath, [path.resolve('bin/gate.ts'), ...args], { env })).stdout;
  };

  before(async () => {
    platform = await startTestPlatform(SETTINGS);
    ({ publisher, operator } = platform.as);
    shop = await receive();
  });
  after(async () => {
    await platform.close();
    for (const each of receivers) await each.close();
  });

  it('tell the publisher what became of a release and that it was installed, and not by whom', async () => {
    const { secret } = await add(publisher, shop.url);
    ({ slug } = await platform.install(HELLO));
    // Some are delivered at once, in whatever order.
    for (const type of ['release.submitted', 'release.published', 'plugin.installed']) {
      await until(() => shop.received.some(({ headers }) => headers['gatehouse-event-type'] === type));
    }
    const events = shop.events(secret);
    const text = JSON.stringify(events.find(({ type }) => type === 'plugin.installed'));
    expect(text)
      .to.match(/"operator":"op_[0-9a-f]{20}"/)
      .and.not.to.include(OPERATOR_SLUG);
    const { items } = await publisher.readEvents();
    expect(items.map(({ position }) => position)).to.deep.equal(items.map((_, index) => index + 1));
    expect(events.map(({ id }) => id)).to.include.members(items.slice(-3).map(({ id }) => id));
  });

  it('tell the operator of their installation by a feed that waits, and other organisations nothing of it', async () => {
    const before = await operator.readEvents({ after: 'latest' });
    const waiting = operator.readEvents({ after: before.cursor, waitSeconds: 30, types: 'installation.disabled' });
    const installation = (await operator.listInstallations()).items.find((each) => each.slug === slug)!;
    await operator.updateInstallation(installation.id, { enabled: false });
    const { items, cursor } = await waiting;
    expect(items[0]!.payload).to.include({ installationId: installation.id, slug });
    expect(Number(cursor)).to.equal(items[0]!.position);
    expect(await operator.readEvents({ after: cursor })).to.deep.include({ items: [], cursor, missed: false });
    const { items: theirs } = await publisher.readEvents({ limit: 100 });
    expect(JSON.stringify(theirs)).not.to.include(installation.id);
    expect((await refusalOf(operator.readEvents({ after: 'nonsense' }))).code).to.equal('cursor-invalid');
    const unknown = await refusalOf(operator.readEvents({ types: 'no.such' }));
    expect(unknown.code).to.equal('query-invalid');
    expect(unknown.facts.faults).to.deep.equal([
      { pointer: '/query/types', message: 'does not have the form that the schema describes' },
    ]);
  });

  it('are managed from the terminal: added, and events are read there', async () => {
    const own = await receive();
    const token = platform.credentials.operator;
    const { endpoint, secret } = JSON.parse(
      await gate(token, '--json', 'webhooks', 'add', own.url, '--types', 'installation.enabled'),
    );
    expect(endpoint).to.deep.include({ state: 'active', types: ['installation.enabled'], url: own.url });
    expect(secret).to.match(/^whsec_[\w-]{43}$/);
    expect(await gate(token, 'events', '--types', 'installation.disabled')).to.include(`slug=${slug}`);
    await operator.removeWebhook(endpoint.id);
  });

  it('are pinged, replayed, signed by both secrets while one is exchanged, and disabled', async () => {
    const own = await receive();
    const { endpoint, secret } = await add(operator, own.url, { types: ['installation.enabled'] });
    await operator.pingWebhook(endpoint.id);
    await until(() => own.received.length === 1);
    expect(own.events(secret)[0]).to.include({ type: 'webhook.ping', position: null });
    const delivered = await until(async () => {
      const { items } = await operator.listDeliveries(endpoint.id, { state: 'delivered' });
      return items[0];
    });
    expect(delivered.attempts[0]).to.include({ status: 200, excerpt: 'thanks' });

    const rotated = await operator.rotateWebhook(endpoint.id, 3_600);
    await operator.replayDelivery(endpoint.id, delivered.id);
    await until(() => own.received.length === 2);
    const [, second] = own.received;
    expect(String(second!.headers['gatehouse-signature']).match(/v1=/g)).to.have.length(2);
    own.received.shift();
    for (const each of [secret, rotated.secret]) expect(own.events(each)).to.have.length(1);

    const installation = (await operator.listInstallations()).items.find((each) => each.slug === slug)!;
    await operator.updateInstallation(installation.id, { enabled: true });
    await until(() => own.received.length === 2);
    const since = new Date(Date.now() - 60_000).toISOString();
    expect(await operator.replayWebhook(endpoint.id, since)).to.deep.equal({ deliveries: 1, more: false });
    await until(() => own.received.length === 3);
    const [, event, again] = own.events(rotated.secret);
    expect(again).to.deep.equal(event);

    expect(await operator.changeWebhook(endpoint.id, { enabled: false })).to.include({ state: 'disabled' });
    expect((await refusalOf(operator.pingWebhook(endpoint.id))).code).to.equal('webhook-inactive');
    await operator.removeWebhook(endpoint.id);
    expect((await operator.listWebhooks()).items).to.deep.equal([]);
    expect((await refusalOf(operator.listDeliveries(endpoint.id))).code).to.equal('webhook-unknown');
  });

  it('keep a secret sealed, and let another organisation neither see nor touch an endpoint', async () => {
    const { endpoint, secret } = await add(operator, shop.url);
    const rows = await platform.database.knex('webhook_secrets').where({ endpoint_id: endpoint.id });
    expect(rows[0].sealed.includes(Buffer.from(secret))).to.equal(false);
    expect(JSON.stringify(await operator.listWebhooks())).not.to.include(secret);
    for (const touch of [
      () => publisher.changeWebhook(endpoint.id, { enabled: false }),
      () => publisher.rotateWebhook(endpoint.id, 0),
      () => publisher.listDeliveries(endpoint.id),
      () => publisher.pingWebhook(endpoint.id),
      () => publisher.replayWebhook(endpoint.id, '2026-01-01T00:00:00.000Z'),
      () => publisher.replayDelivery(endpoint.id, v7()),
    ]) {
      expect((await refusalOf(touch())).code).to.equal('webhook-unknown');
    }
    await publisher.removeWebhook(endpoint.id);
    expect((await operator.listWebhooks()).items.map(({ id }) => id)).to.include(endpoint.id);
    const caller = await refusalOf(platform.as.caller.listWebhooks());
    expect(caller.code).to.equal('permission-denied');
    const audited = await operator.listAudit({ limit: 100 });
    const entry = audited.items.find(({ action }) => action === 'webhook.add')!;
    // Paths and queries of addresses may be secrets.
    expect(JSON.stringify(entry)).to.include('127.0.0.1').and.not.include('/hook"');
    await operator.removeWebhook(endpoint.id);
  });

  it('refuse addresses inside, ids that were used, more endpoints than there may be, and too much of everything', async () => {
    const urls = [
      'http://10.0.0.1/',
      'https://[::1]/',
      'http://169.254.169.254/',
      'https://a:b@example.com/',
      'ftp://example.com/',
      'https://localhost:8443/',
    ];
    for (const url of urls) expect((await refusalOf(add(operator, url))).code, url).to.equal('webhook-url-refused');
    const { endpoint } = await add(operator, shop.url);
    expect((await refusalOf(operator.changeWebhook(endpoint.id, { url: urls[0]! }))).code).to.equal(
      'webhook-url-refused',
    );
    expect((await refusalOf(add(publisher, shop.url, { id: endpoint.id }))).code).to.equal('webhook-id-taken');
    expect((await refusalOf(operator.replayDelivery(endpoint.id, v7()))).code).to.equal('delivery-unknown');
    const more = await Promise.allSettled(Array.from({ length: 12 }, () => add(operator, shop.url)));
    expect(more.filter(({ status }) => status === 'fulfilled')).to.have.length(9);
    expect((await refusalOf(add(operator, shop.url))).code).to.equal('webhooks-exceeded');
    const organisationId = (await operator.whoami()).organisation.id;
    await platform.database.knex.raw(
      `insert into webhook_deliveries (id, endpoint_id, organisation_id, cause, next_at, created_at)
       select gen_random_uuid(), ?, ?, 'ping', now() + interval '1 day', now() from generate_series(1, 10000)`,
      [endpoint.id, organisationId],
    );
    expect((await refusalOf(operator.pingWebhook(endpoint.id))).code).to.equal('webhook-backlog-exceeded');
    const limited = await until(async () => {
      const refused = await operator.pingWebhook(endpoint.id).catch((error) => error);
      return refused.code === 'rate-limited' && refused;
    });
    expect(limited.facts).to.include({ limit: 'webhook-organisation' });
    for (const { id } of (await operator.listWebhooks()).items) await operator.removeWebhook(id);
  });
});
