import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, codeOf, startTestPlatform, type TestPlatform } from './test-platform.ts';

const SECRET = 'gk_live_9d2c41a7b6e84f10';
const SOURCE = `
  import { definePlugin } from '@gatehouse/plugin-sdk';
  export default definePlugin({
    routes: {
      'POST /relay': async (request) => {
        const { url, ...init } = await request.json();
        try {
          const response = await fetch(url, init);
          return Response.json({
            status: response.status, ok: response.ok, url: response.url, redirected: response.redirected,
            headers: Object.fromEntries(response.headers), text: await response.text(),
          });
        } catch (error) {
          console.log('failed', error);
          return { name: error.name, code: error.code, isTypeError: error instanceof TypeError, message: error.message };
        }
      },
      'GET /names': (_request, ctx) => ctx.secrets.names(),
      'GET /value': async (_request, ctx) => {
        const value = await ctx.secrets.get('API_KEY').catch(({ code }) => code);
        console.log('the value is', value, { deep: [value] });
        return { length: value.length, code: value.length > 20 ? null : value };
      },
      'GET /throws': async (_request, ctx) => { throw new Error('refused with ' + (await ctx.secrets.get('API_KEY'))); },
      'GET /aborted': async () => {
        const error = await fetch('http://api.test:PORT/never', { signal: AbortSignal.timeout(50) }).catch((thrown) => thrown);
        return { name: error.name };
      },
    },
  });`;

const QUEUE_SOURCE = `
  import { definePlugin } from '@gatehouse/plugin-sdk';
  export default definePlugin({
    routes: {
      'POST /send': async (request, ctx) => {
        const { queue, payload, options } = await request.json();
        return ctx.queue.send(queue, payload, options).catch(({ code }) => ({ code }));
      },
      'GET /state': async (_request, ctx) => {
        const { entries } = await ctx.kv.list();
        return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
      },
    },
    hooks: {
      'queue.mails': async ({ payload, attempt, eventId }, ctx) => {
        const { value } = await ctx.kv.increment('effects:' + payload.name);
        await ctx.queue.send('follow-ups', { of: payload.name });
        if (attempt < 2) throw new Error('the mail server is busy');
        await ctx.kv.set('done:' + payload.name, { attempt, value, same: eventId === ctx.invocationId, random: Math.random() });
      },
      'queue.follow-ups': ({ payload }, ctx) => ctx.kv.increment('follow-ups:' + payload.of),
      'queue.broken': async (_event, ctx) => {
        await ctx.kv.increment('broken');
        if (!(await ctx.kv.get('mended'))) throw new Error('never');
      },
    },
  });`;

describe('fetch, secrets and queues', () => {
  let platform: TestPlatform;
  let server: Server;
  let installation: Installation;
  let port: number;
  const seen: IncomingMessage[] = [];

  before(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      if (request.url === '/moved') response.writeHead(302, { location: `http://metadata.test:${port}/` }).end();
      else if (request.url !== '/never') {
        response.writeHead(200, { 'x-echo': String(request.headers['x-api-key']) });
        response.end(JSON.stringify({ headers: request.headers }));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    platform = await startTestPlatform(
      { GATEHOUSE_EGRESS_HTTP: 'true', GATEHOUSE_EGRESS_ALLOW: '127.0.0.1' },
      { resolveHost: async (name) => (name === 'metadata.test' ? ['169.254.169.254'] : ['127.0.0.1']) },
    );
    installation = await platform.install({
      source: SOURCE.replace('PORT', String(port)),
      manifest: {
        capabilities: [
          { name: 'fetch', reason: 'Asks the shop for prices.' },
          { name: 'secrets', reason: 'Signs in at the shop.' },
          { name: 'secret-values', reason: 'Signs what it sends.', optional: true },
        ],
        fetchHosts: [`api.test:${port}`, `metadata.test:${port}`],
        secrets: [
          {
            name: 'API_KEY',
            reason: 'The key of the shop.',
            send: { hosts: [`api.test:${port}`], header: 'x-api-key', format: 'Key {}' },
          },
        ],
        limits: { fetches: 3 },
        ...callerRoutes('POST /relay', 'GET /names', 'GET /value', 'GET /throws', 'GET /aborted'),
      },
    });
  });
  after(async () => {
    await platform?.close();
    server?.closeAllConnections();
    server?.close();
  });

  const relay = async (url: string, init: object = {}) =>
    (await (
      await platform.call(installation, '/relay', { method: 'POST', body: JSON.stringify({ url, ...init }) })
    ).json()) as Record<string, unknown> & { headers: Record<string, string>; text: string };
  const api = (target = '/') => `http://api.test:${port}${target}`;

  it('shows the operator which secrets are wanted, and takes values that never come out', async () => {
    const { operator } = platform.as;
    expect(await relay(api())).to.include({ code: 'secret-missing', isTypeError: true });
    const [before] = (await operator.listSecrets(installation.id)).items;
    expect(before).to.deep.include({
      name: 'API_KEY',
      isSet: false,
      send: { hosts: [`api.test:${port}`], header: 'x-api-key' },
    });
    const set = await operator.setSecret(installation.id, 'API_KEY', SECRET);
    expect(set.isSet).to.equal(true);
    expect(JSON.stringify([set, await operator.listSecrets(installation.id)])).to.not.include(SECRET);
  });

  it('takes a value from a pipe on the command line, and shows it nowhere', async () => {
    const gate = async (args: string[], input: string) => {
      const child = execFile(process.execPath, ['bin/gate.ts', 'secrets', ...args], {
        cwd: path.resolve(import.meta.dirname, '../..'),
        env: { ...process.env, GATEHOUSE_URL: platform.host.url, GATEHOUSE_TOKEN: platform.credentials.operator },
      });
      child.stdin!.end(input);
      let shown = '';
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (shown += chunk));
      const [code] = await once(child, 'close');
      return { code, shown };
    };
    const set = await gate(['set', installation.slug, 'API_KEY'], `${SECRET}\n`);
    expect(set.code, set.shown).to.equal(0);
    const list = await gate(['list', installation.slug], '');
    expect(list.shown).to.include('API_KEY').and.include('x-api-key').and.match(/✔ set/);
    expect((await gate(['set', installation.slug, 'API_KEY'], '')).code).to.equal(2);
    expect(set.shown + list.shown).to.not.include(SECRET);
  });

  it('refuses secrets that nobody declares, values that no header can carry, and strangers', async () => {
    const put = (name: string, value: unknown, token: string) =>
      fetch(`${platform.host.url}/v1/installations/${installation.id}/secrets/${name}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ value }),
      });
    const { operator, caller, admin } = platform.credentials;
    expect(await codeOf(await put('OTHER', 'x', operator))).to.equal('secret-unknown');
    const broken = await put('API_KEY', `${SECRET}\r\nx: y`, operator);
    expect(await broken.text())
      .to.include('body-invalid')
      .and.not.include(SECRET);
    expect(await codeOf(await put('API_KEY', 'x', caller))).to.equal('permission-denied');
    expect(await codeOf(await put('API_KEY', 'x', admin))).to.equal('permission-denied');
  });

  it('sends the secret to its host, and hides it from the plugin even where the host repeats it', async () => {
    const answer = await relay(api('/x?y=1'), { method: 'POST', body: 'hello', headers: { 'x-api-key': 'mine' } });
    const sent = seen.at(-1)!;
    expect(sent.headers['x-api-key']).to.equal(`Key ${SECRET}`);
    expect(sent.headers['idempotency-key']).to.match(/^[0-9a-f]{32}$/);
    expect(answer).to.include({ status: 200, ok: true, url: api('/x?y=1'), redirected: false });
    expect(answer.headers['x-echo']).to.equal('Key [secret API_KEY]');
    expect(JSON.stringify(answer)).to.not.include(SECRET);
    expect(JSON.parse(answer.text).headers['x-api-key']).to.equal('Key [secret API_KEY]');
  });

  it('leads nowhere else, by no redirect and no notation', async () => {
    const before = seen.length;
    expect(await relay('http://metadata.test:1/')).to.include({ code: 'fetch-host-undeclared' });
    expect(await relay(`http://127.0.0.1:${port}/`)).to.include({ code: 'fetch-host-undeclared' });
    expect(await relay(`http://metadata.test:${port}/`)).to.include({ code: 'fetch-address-refused' });
    expect(seen.length).to.equal(before);
    expect(await relay(api('/moved'))).to.include({ code: 'fetch-address-refused', name: 'TypeError' });
  });

  it('gives up when the signal aborts', async () => {
    expect(await (await platform.call(installation, '/aborted')).json()).to.deep.equal({ name: 'TimeoutError' });
  });

  it('shows names, and the value with a grant of its own, which no log repeats', async () => {
    expect(await (await platform.call(installation, '/names')).json()).to.deep.equal(['API_KEY']);
    expect(await (await platform.call(installation, '/value')).json()).to.deep.equal({
      length: SECRET.length,
      code: null,
    });
    const lines = (await platform.as.operator.listLogs(installation.id)).items;
    expect(lines.map(({ message }) => message)).to.include(
      "the value is [secret API_KEY] { deep: [ '[secret API_KEY]' ] }",
    );
    expect(JSON.stringify(lines)).to.not.include(SECRET);
    expect((await platform.call(installation, '/throws')).status).to.equal(502);
    await platform.as.operator.updateInstallation(installation.id, { grants: ['fetch', 'secrets'] });
    expect(await (await platform.call(installation, '/value')).json()).to.include({ code: 'capability-denied' });
  });

  it('leaves no plain text of it in the database', async () => {
    const { knex } = platform.database;
    const { rows: tables } = await knex.raw(
      `select table_schema as schema, table_name as name from information_schema.tables
       where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
    );
    const forms = [SECRET, Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')];
    let rows = 0;
    for (const { schema, name } of tables) {
      const found = await knex.raw('select row_to_json(each)::text as text from ?? as each', [`${schema}.${name}`]);
      rows += found.rows.length;
      for (const { text } of found.rows) for (const form of forms) expect(text, name).to.not.include(form);
    }
    expect(rows).to.be.greaterThan(10);
    // Recordings are compressed: look inside.
    await platform.as.operator.listRecordings(installation.id);
    const recordings = await knex('recordings').where({ installation_id: installation.id }).select('content');
    expect(recordings).to.have.length.greaterThan(0);
    const recorded = recordings.map(({ content }) => gunzipSync(content).toString()).join();
    expect(recorded).to.include('refused with').and.not.include(SECRET);
    const [{ sealed }] = await knex('installation_secrets').where({ installation_id: installation.id });
    expect(sealed.includes(Buffer.from(SECRET))).to.equal(false);
  });

  it('forgets a secret at once when the operator removes it', async () => {
    await platform.as.operator.removeSecret(installation.id, 'API_KEY');
    expect(await relay(api())).to.include({ code: 'secret-missing' });
  });

  describe('queues', () => {
    let queued: Installation;
    before(async () => {
      queued = await platform.install({
        source: QUEUE_SOURCE,
        manifest: {
          capabilities: [
            { name: 'kv', reason: 'Counts what has been done.' },
            { name: 'queue', reason: 'Sends mails in the background.' },
          ],
          queues: [
            { name: 'mails', attempts: 3, backOffSeconds: 1 },
            { name: 'follow-ups' },
            { name: 'broken', attempts: 1 },
          ],
          ...callerRoutes('POST /send', 'GET /state'),
        },
      });
    });
    const send = async (queue: string, payload: Json, options: object = {}) =>
      (await (
        await platform.call(queued, '/send', { method: 'POST', body: JSON.stringify({ queue, payload, options }) })
      ).json()) as { id: string; duplicate: boolean; code?: string };
    const state = async () => (await (await platform.call(queued, '/state')).json()) as Record<string, Json>;
    const until = async (holds: () => Promise<unknown>) => {
      for (let tries = 0; tries < 300 && !(await holds()); tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 100));
    };
    const messages = async (filter: object = {}) => (await platform.as.operator.listMessages(queued.id, filter)).items;

    it('attempts a message again after a fault, and what it did before happens once', async () => {
      const { id, duplicate } = await send('mails', { name: 'ada' }, { key: 'mail-1' });
      expect(duplicate).to.equal(false);
      expect(await send('mails', { name: 'ada' }, { key: 'mail-1' })).to.deep.equal({ id, duplicate: true });
      await until(async () => 'done:ada' in (await state()));
      await until(async () => 'follow-ups:ada' in (await state()));
      expect(await state()).to.deep.include({ 'effects:ada': 1, 'follow-ups:ada': 1 });
      expect((await state())['done:ada']).to.include({ attempt: 2, value: 1, same: true });
      expect((await messages({ queue: 'mails' }))[0]).to.include({ id, state: 'done', attempts: 1 });
      const lines = (await platform.as.operator.listLogs(queued.id, { invocationId: id })).items;
      expect(lines.map(({ message }) => message).join()).to.include(
        'message of queue mails failed: plugin-threw; attempt 1 of 3',
      );
    });

    it('does nothing before its time', async () => {
      const { id } = await send('mails', { name: 'later' }, { delaySeconds: 3_600 });
      const [waiting] = await messages({ state: 'waiting', queue: 'mails' });
      expect(waiting).to.include({ id, attempts: 0 });
      expect(Date.parse(waiting!.dueAt) - Date.parse(waiting!.createdAt)).to.equal(3_600_000);
      await platform.as.operator.removeMessage(queued.id, id);
      expect(await messages({ state: 'waiting', queue: 'mails' })).to.deep.equal([]);
    });

    it('keeps a message that failed for good, until its operator tries it again', async () => {
      const { id } = await send('broken', null);
      await until(async () => (await messages({ state: 'dead' })).length === 1);
      expect((await messages({ state: 'dead' }))[0]).to.include({
        id,
        error: 'plugin-threw',
        attempts: 1,
        attemptsMax: 1,
      });
      await platform.database
        .knex('kv_entries')
        .insert({ installation_id: queued.id, key: 'mended', value: 'true', version: 1 });
      expect(await platform.as.operator.retryMessage(queued.id, id)).to.include({ state: 'waiting', attempts: 0 });
      await until(
        async () =>
          (await messages({ state: 'dead' })).length === 0 &&
          (await messages({ state: 'done', queue: 'broken' })).length === 1,
      );
      expect(await state()).to.deep.include({ broken: 1 });
    });

    it('refuses what is not declared, what is too large, and strangers', async () => {
      expect(await send('other', 1)).to.deep.equal({ code: 'queue-undeclared' });
      expect(await send('mails', 'x'.repeat(70_000))).to.deep.equal({ code: 'queue-message-too-large' });
      expect(await send('mails', 1, { delaySeconds: -1 })).to.deep.equal({ code: 'capability-arguments-invalid' });
      const retry = (id: string, token: string) =>
        fetch(`${platform.host.url}/v1/installations/${queued.id}/queue/${id}/retry`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
      expect(await codeOf(await retry(queued.id, platform.credentials.operator))).to.equal('queue-message-unknown');
      expect(await codeOf(await retry(queued.id, platform.credentials.caller))).to.equal('permission-denied');
    });
  });
});
