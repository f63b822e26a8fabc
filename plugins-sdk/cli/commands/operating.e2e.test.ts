import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { InstallationLogEntry } from '../../../host/installations/contract.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { checkUrl, findAccount, profileName } from '../credentials.ts';
import { FAKE_TOKEN, type FakeControlPlane, startFakeControlPlane } from '../fake-control-plane.ts';
import { refusalOf } from '../test-refusal.ts';
import { callPlugin } from './call.ts';
import { initPlugin } from './init.ts';
import { findWishes, installPlugin, readGrants, readJsonOption } from './install.ts';
import { resolveInstallationId } from './installations.ts';
import { registerKey } from './keygen.ts';
import { login } from './login.ts';
import { followLogs, readLogs } from './logs.ts';
import { publishPlugin } from './publish.ts';
import { resolveReleaseId } from './releases.ts';

describe('operating', () => {
  let root: string;
  let host: FakeControlPlane;
  let api: ApiClient;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-'));
    await initPlugin({ folder: join(root, 'p'), template: 'fulfilment', name: 'vouchers', publisher: 'acme-labs' });
  });
  after(() => rm(root, { recursive: true, force: true }));
  beforeEach(async () => {
    host = await startFakeControlPlane();
    api = createApiClient({ url: host.url, token: FAKE_TOKEN, sleep: async () => {} });
  });
  afterEach(() => host.close());

  const published = async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    await registerKey(api)(privateKey, 'test');
    await publishPlugin(api)({ folder: join(root, 'p'), privateKey });
    const id = await resolveReleaseId(api)('acme-labs/vouchers@0.1.0');
    return api.decideReview(id, { decision: 'approve', reasons: [] });
  };
  const installed = async () => {
    await published();
    const config = { skus: ['vpn-year'] };
    return installPlugin(api)({ plugin: 'acme-labs/vouchers', slug: 'shop', grants: ['kv', 'log', 'config'], config });
  };

  describe('login', () => {
    it('stores a token that the host knows, for its owner only', async () => {
      const configFolder = join(root, 'config-1');
      const { principal, path } = await login({ configFolder })({
        profile: 'default',
        url: `${host.url}/`,
        token: ` ${FAKE_TOKEN}\n`,
      });
      expect(principal.organisation.slug).to.equal('acme-labs');
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      expect((await stat(configFolder)).mode & 0o777).to.equal(0o700);
      const settings = { configFolder, cwd: '/', url: null, token: null };
      expect(await findAccount(settings)).to.deep.equal({ url: host.url, token: FAKE_TOKEN });
    });
    it('stores nothing that the host refuses', async () => {
      const configFolder = join(root, 'config-2');
      const error = await refusalOf(login({ configFolder })({ profile: 'default', url: host.url, token: 'wrong' }));
      expect(error.code).to.equal('token-invalid');
      expect(await stat(configFolder).catch(() => null)).to.equal(null);
    });
    it('keeps several profiles and uses the latest', async () => {
      const configFolder = join(root, 'config-3');
      await login({ configFolder })({ profile: 'default', url: host.url, token: FAKE_TOKEN });
      await login({ configFolder })({ profile: 'staging', url: host.url, token: FAKE_TOKEN });
      const settings = { configFolder, cwd: '/', url: null, token: null };
      expect(await profileName(settings)).to.equal('staging');
      expect(await profileName(settings, 'default')).to.equal('default');
      expect((await refusalOf(findAccount(settings, 'prod'))).message).to.contain('known: default, staging');
    });
    it('never sends a stored token to another address', async () => {
      const configFolder = join(root, 'config-4');
      await login({ configFolder })({ profile: 'default', url: host.url, token: FAKE_TOKEN });
      const elsewhere = { configFolder, cwd: '/', url: 'https://evil.example', token: null };
      expect(await findAccount(elsewhere)).to.deep.equal({ url: 'https://evil.example', token: null });
      expect(await findAccount({ ...elsewhere, token: 'own' })).to.deep.equal({
        url: 'https://evil.example',
        token: 'own',
      });
    });
    it('says what to do about a damaged file', async () => {
      const configFolder = join(root, 'config-5');
      await login({ configFolder })({ profile: 'default', url: host.url, token: FAKE_TOKEN });
      await writeFile(join(configFolder, 'credentials.json'), '{"current":');
      const settings = { configFolder, cwd: '/', url: null, token: null };
      expect((await refusalOf(findAccount(settings))).message).to.contain('gate login');
    });
    for (const bad of ['localhost:8080', 'ftp://x', 'http://a:b@c', 'http://x/?q', '']) {
      it(`takes "${bad}" for no address`, () => {
        expect(() => checkUrl(bad))
          .to.throw()
          .with.property('code', 'usage');
      });
    }
  });

  describe('installPlugin', () => {
    it('installs what was approved', async () => {
      const installation = await installed();
      expect(installation).to.include({ slug: 'shop', plugin: 'acme-labs/vouchers', version: '0.1.0' });
      expect(installation.id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    });
    it('installs once when the connection breaks after the request arrived', async () => {
      await published();
      host.breakNext(2);
      await installPlugin(api)({ plugin: 'acme-labs/vouchers', slug: 'shop', grants: ['kv', 'log', 'config'] });
      const ids = host.asked.filter(({ url }) => url === '/v1/installations').map(({ body }) => JSON.parse(body).id);
      expect(ids).to.have.length(3);
      expect(new Set(ids).size).to.equal(1);
      expect(host.installations).to.have.length(1);
    });
    it('hands on what was not granted', async () => {
      await published();
      const error = await refusalOf(installPlugin(api)({ plugin: 'acme-labs/vouchers', slug: 'shop', grants: [] }));
      expect(error.code).to.equal('grant-missing');
    });
  });

  describe('findWishes', () => {
    it('names capabilities and reasons of the newest release and of a chosen one', async () => {
      await published();
      const names = ['kv', 'log', 'config'];
      expect((await findWishes(api)('acme-labs/vouchers')).map(({ name }) => name)).to.deep.equal(names);
      expect((await findWishes(api)('acme-labs/vouchers@0.1.0')).map(({ name }) => name)).to.deep.equal(names);
    });
    it('says so when there is no such plugin', async () => {
      expect((await refusalOf(findWishes(api)('acme-labs/nothing'))).code).to.equal('release-unknown');
    });
  });

  describe('readGrants', () => {
    it('reads names between commas, each once', () => {
      expect(readGrants('kv, log,kv')).to.deep.equal(['kv', 'log']);
      expect(readGrants('')).to.deep.equal([]);
    });
    it('names what there is when something is not', () => {
      expect(() => readGrants('kv,root')).to.throw('"root"; there are: kv, config, log');
    });
  });

  describe('readJsonOption', () => {
    it('reads JSON and files with JSON', async () => {
      await writeFile(join(root, 'c.json'), '{"a":1}');
      expect(await readJsonOption('--config', '{"a":1}', root)).to.deep.equal({ a: 1 });
      expect(await readJsonOption('--config', 'c.json', root)).to.deep.equal({ a: 1 });
    });
    it('reads a file as an editor of Windows writes it', async () => {
      await writeFile(join(root, 'bom.json'), '\ufeff{"a":1}\r\n');
      expect(await readJsonOption('--config', 'bom.json', root)).to.deep.equal({ a: 1 });
    });
    it('names the option and the place in every refusal, and nothing of what it read', async () => {
      expect((await refusalOf(readJsonOption('--config', '{a', root))).message).to.contain('--config is not JSON');
      await writeFile(join(root, 'keys.json'), '{\n  "API_KEY": sk_live_1\n}');
      expect((await refusalOf(readJsonOption('--secrets', 'keys.json', root))).message).to.equal(
        `--secrets ${join(root, 'keys.json')} is not JSON: line 2, column 14.`,
      );
      expect((await refusalOf(readJsonOption('--config', 'none.json', root))).message).to.contain('--config');
    });
  });

  describe('resolveInstallationId', () => {
    it('finds by slug, and takes an id as it is', async () => {
      const { id } = await installed();
      expect(await resolveInstallationId(api)('shop')).to.equal(id);
      host.asked.length = 0;
      expect(await resolveInstallationId(api)(id)).to.equal(id);
      expect(host.asked).to.deep.equal([]);
    });
    it('says how to list what there is', async () => {
      expect((await refusalOf(resolveInstallationId(api)('nope'))).message).to.contain('gate installations');
    });
  });

  describe('callPlugin', () => {
    it("completes a slug with the token's own operator", async () => {
      const { status, body, invocationId } = await callPlugin(api)({
        target: 'shop',
        method: 'POST',
        path: '/pool/a%2Fb?x=1',
        headers: { 'content-type': 'application/json' },
        body: '{"keys":[]}',
      });
      expect([status, invocationId]).to.deep.equal([200, 'i-1']);
      expect(JSON.parse(body.toString())).to.deep.equal({
        method: 'POST',
        url: '/run/acme-labs/shop/pool/a%2Fb?x=1',
        type: 'application/json',
        body: '{"keys":[]}',
      });
    });
    it('takes every status as an answer', async () => {
      expect((await callPlugin(api)({ target: 'o/s', method: 'GET', path: '/teapot' })).status).to.equal(418);
    });
    it('sends a POST exactly once, even when the connection breaks', async () => {
      host.breakNext(1);
      const error = await refusalOf(callPlugin(api)({ target: 'o/s', method: 'POST', path: '/' }));
      expect(error.code).to.equal('host-unreachable');
      expect(host.asked).to.have.length(1);
    });
    it('refuses a path without a slash and a target of three parts', async () => {
      expect((await refusalOf(callPlugin(api)({ target: 'o/s', method: 'GET', path: 'x' }))).code).to.equal('usage');
      expect((await refusalOf(callPlugin(api)({ target: 'a/b/c', method: 'GET', path: '/' }))).code).to.equal('usage');
    });
  });

  describe('logs', () => {
    const write = (count: number) => {
      for (let each = 0; each < count; each++) {
        const id = `l-${String(host.logs.length).padStart(5, '0')}`;
        const entry: InstallationLogEntry = {
          id,
          at: '2026-11-21T12:00:00.000Z',
          invocationId: 'i',
          source: 'log',
          level: 'info',
          message: id,
          facts: {},
        };
        host.logs.push(entry);
      }
    };
    it('shows the newest entries, the oldest of them first', async () => {
      const { id } = await installed();
      write(10);
      const entries = await readLogs(api)({ installationId: id, limit: 3 });
      expect(entries.map(({ message }) => message)).to.deep.equal(['l-00007', 'l-00008', 'l-00009']);
    });
    for (const start of [0, 5]) {
      it(`follows without gaps and repetitions, from ${start} entries on, also over several pages`, async () => {
        const { id } = await installed();
        write(start);
        const stop = new AbortController();
        const seen: string[] = [];
        const bursts = [1, 250, 99];
        // Everything of one burst is there before the next is written, however slow the machine.
        let goal = start;
        if (start === 0) {
          goal += bursts[0]!;
          setTimeout(() => write(bursts.shift()!), 20);
        }
        for await (const { message } of followLogs(api, { installationId: id, signal: stop.signal, pollMs: 5 })) {
          seen.push(message);
          if (seen.length < goal) continue;
          const next = bursts.shift();
          if (next === undefined) stop.abort();
          else {
            goal += next;
            write(next);
          }
        }
        expect(seen).to.deep.equal(host.logs.map(({ message }) => message));
      });
    }
  });

  it('keeps the key of a publisher out of what is sent', async () => {
    await installed();
    const sent = host.asked.map(({ body }) => body).join();
    expect(sent).to.contain('BEGIN PUBLIC KEY').and.not.to.contain('PRIVATE KEY');
    expect(await readFile(join(root, 'p', 'gatehouse.json'), 'utf8')).to.contain('"vouchers"');
  });
});
