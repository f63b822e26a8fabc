import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { PERMISSIONS, type Permission, type TokenNarrowing, type TokenRole } from '../../registry/index.ts';
import { fakePorts } from '../http/fake-ports.ts';
import type { Route } from '../http/route.ts';
import type { Installation } from '../installations/contract.ts';
import { allRoutes } from '../routes/index.ts';
import { logIn } from './hostile-addresses.suite.ts';
import { membersSuite, type Send } from './members-suite.ts';
import { startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: { 'GET /': () => ({ ok: true }), 'GET /open': () => ({ ok: true }) },
  hooks: { 'order.cancelled': () => ({ done: true }) },
});`;
const MANIFEST = {
  routes: [
    { method: 'GET', path: '/', access: 'caller' },
    { method: 'GET', path: '/open', access: 'public' },
  ],
  hooks: ['order.cancelled'],
};

/** Every restriction that a token can have, on every kind of route that it concerns. */
describe('rights over HTTP', () => {
  let platform: TestPlatform;
  let shop: Installation;
  let other: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1', GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1,::1' });
    const plugin = { source: SOURCE, manifest: MANIFEST as never };
    shop = await platform.install(plugin, { slug: 'shop' });
    other = await platform.as.operator.install({
      id: uuidv7(),
      plugin: shop.plugin,
      version: shop.version,
      slug: 'other',
      grants: [],
    });
  });
  after(() => platform.close());

  const send: Send = async (method, path, { token, body, from } = {}) => {
    const response = await fetch(platform.host.url + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(from && { 'x-forwarded-for': from }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const problem = response.headers.get('content-type') === 'application/problem+json' ? JSON.parse(text) : null;
    return { status: response.status, code: (problem?.code as string | undefined) ?? 'ok', problem, text };
  };
  const issue = async (
    role: TokenRole,
    narrowing: TokenNarrowing & { expiresAt?: string } = {},
    as: 'operator' | 'publisher' = 'operator',
  ): Promise<{ secret: string; id: string }> => {
    const organisation = as === 'operator' ? 'arcade-one' : 'acme-labs';
    const body = { organisation, role, label: 'narrow', ...narrowing };
    const issued = await send('POST', '/v1/tokens', { token: platform.credentials[as], body });
    expect(issued.status, issued.text).to.equal(201);
    const { token, secret } = JSON.parse(issued.text);
    return { secret, id: token.id };
  };
  const hookOf = ({ id }: Installation) => `/v1/installations/${id}/hooks/order.cancelled`;
  const event = () => ({ eventId: uuidv7(), payload: { orderId: 'order-1' } });

  describe('a token for one installation', () => {
    it('calls it, delivers its hooks and reads it, and nothing of another', async () => {
      const { secret: token } = await issue('operator-owner', { installationIds: [shop.id] });
      const outcomes = async (installation: Installation) => [
        (await send('GET', `/run/arcade-one/${installation.slug}/`, { token })).code,
        (await send('GET', `/run/arcade-one/${installation.slug}/open`, { token })).code,
        (await send('POST', hookOf(installation), { token, body: event() })).code,
        (await send('GET', `/v1/installations/${installation.id}`, { token })).code,
        (await send('GET', `/v1/installations/${installation.id}/logs`, { token })).code,
        (await send('PATCH', `/v1/installations/${installation.id}`, { token, body: { enabled: true } })).code,
      ];
      expect(await outcomes(shop)).to.deep.equal(Array(6).fill('ok'));
      expect(await outcomes(other)).to.deep.equal(Array(6).fill('token-restricted'));
      const listed = JSON.parse((await send('GET', '/v1/installations', { token })).text);
      expect(listed.items.map(({ id }: Installation) => id)).to.deep.equal([shop.id]);
    });

    it('is kept from every route that is not about an installation of its own', async () => {
      const { secret: token } = await issue('operator-owner', { installationIds: [shop.id] });
      const open = ['GET /v1/whoami', 'GET /v1/installations', 'DELETE /v1/tokens/:id', 'POST /v1/tokens/:id/rotation'];
      for (const route of allRoutes(fakePorts())) {
        if (typeof route.allow === 'string' && route.allow !== 'any-token') continue;
        if (typeof route.allow !== 'string' && !route.allow.some((each) => ownerMay(each))) continue;
        const name = `${route.method} ${route.path}`;
        const about = /^\/v1\/installations\/:id(\/|$)/.test(route.path);
        if (open.includes(name)) continue;
        // Its own installation is reached by the tests above; any other is refused before a body is read.
        const path = about ? addressOf(route, { id: other.id }) : addressOf(route);
        expect((await send(route.method, path, { token })).code, name).to.equal('token-restricted');
      }
    });
  });

  it('a token with scopes does what they say, on both planes', async () => {
    const { secret: reads } = await issue('operator-owner', { scopes: ['installation:read', 'log:read'] });
    expect((await send('GET', `/v1/installations/${shop.id}`, { token: reads })).code).to.equal('ok');
    expect(
      (await send('PATCH', `/v1/installations/${shop.id}`, { token: reads, body: { enabled: true } })).code,
    ).to.equal('permission-denied');
    expect((await send('GET', '/run/arcade-one/shop/', { token: reads })).code).to.equal('permission-denied');
    expect((await send('POST', hookOf(shop), { token: reads, body: event() })).code).to.equal('permission-denied');
    const { secret: invokes } = await issue('caller', { scopes: ['installation:invoke'] });
    expect((await send('GET', '/run/arcade-one/shop/', { token: invokes })).code).to.equal('ok');
    expect((await send('POST', hookOf(shop), { token: invokes, body: event() })).code).to.equal('permission-denied');
  });

  it('a token for some addresses works from there alone, on both planes', async () => {
    const { secret: token } = await issue('operator-owner', { addressRanges: ['203.0.113.0/24', '2001:db8::/32'] });
    const codes = async (from: string) => [
      (await send('GET', '/v1/whoami', { token, from })).code,
      (await send('GET', '/run/arcade-one/shop/', { token, from })).code,
      (await send('POST', hookOf(shop), { token, from, body: event() })).code,
    ];
    for (const inside of ['203.0.113.7', '2001:db8::7']) {
      expect(await codes(inside), inside).to.deep.equal(['ok', 'ok', 'ok']);
    }
    for (const outside of ['203.0.114.7', '2001:db9::7', '10.0.0.1', '203.0.113.7, 10.0.0.1']) {
      expect(await codes(outside), outside).to.deep.equal(Array(3).fill('token-restricted'));
    }
  });

  it('a token for one plugin publishes it, reads its releases and its statistics, and nothing else', async () => {
    const { secret: token } = await issue('publisher', { plugin: shop.plugin }, 'publisher');
    const codes: Record<string, string> = {};
    for (const path of [
      `/v1/releases/${shop.plugin}/${shop.version}`,
      `/v1/releases?plugin=${shop.plugin}`,
      `/v1/plugins/${shop.plugin}/statistics`,
      '/v1/plugins/acme-labs/another/statistics',
      '/v1/publishers/acme-labs/statistics',
      '/v1/releases/acme-labs/another/1.0.0',
      '/v1/releases',
      '/v1/plugins',
      '/v1/keys',
      '/v1/tokens',
      '/v1/members',
      '/v1/notifications',
      '/v1/audit',
    ]) {
      codes[path] = (await send('GET', path, { token })).code;
    }
    const [own, listed, counted, ...rest] = Object.values(codes);
    expect([own, listed, counted]).to.deep.equal(['ok', 'ok', 'ok']);
    expect(new Set(rest)).to.deep.equal(new Set(['token-restricted']));
  });

  it('a token ends at its moment, also where a host has it in memory', async () => {
    const issueFor = async (ms: number): Promise<{ expiresAt: string; token: string }> => {
      const expiresAt = new Date(Date.now() + ms).toISOString();
      const { secret: token } = await issue('caller', { expiresAt });
      const { code } = await send('GET', '/run/arcade-one/shop/', { token });
      // A machine that is too busy to call in time gets a token that lives longer.
      if (code !== 'ok' && Date.now() >= Date.parse(expiresAt)) return issueFor(2 * ms);
      expect(code).to.equal('ok');
      return { expiresAt, token };
    };
    const { expiresAt, token } = await issueFor(1_500);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(expiresAt) - Date.now()) + 50));
    expect((await send('GET', '/run/arcade-one/shop/', { token })).code).to.equal('token-invalid');
    expect((await send('GET', '/v1/whoami', { token })).code).to.equal('token-invalid');
  });

  it('a token that is rotated by itself hands over to its successor', async () => {
    const { secret: token, id } = await issue('caller', { installationIds: [shop.id] });
    const rotated = await send('POST', `/v1/tokens/${id}/rotation`, { token, body: { overlapSeconds: 0 } });
    expect(rotated.status, rotated.text).to.equal(201);
    const { secret } = JSON.parse(rotated.text);
    expect((await send('GET', '/run/arcade-one/other/open', { token: secret })).code).to.equal('token-restricted');
    expect((await send('GET', '/run/arcade-one/shop/', { token: secret })).code).to.equal('ok');
    const deadlineMs = Date.now() + 20_000;
    while ((await send('GET', '/v1/whoami', { token })).code !== 'token-invalid') {
      expect(Date.now()).to.be.below(deadlineMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  describe('people', () => membersSuite(() => platform, send));

  it('answers strangers about what exists as about what does not, on every route with an id', async () => {
    const strangers: Record<string, string> = {};
    for (const [kind, role] of [
      ['operator', 'operator-owner'],
      ['publisher', 'publisher'],
    ] as const) {
      const slug = `strange-${kind}`;
      await platform.as.admin.createOrganisation({ id: uuidv7(), slug, kind, name: 'Strangers' });
      strangers[kind] = (await platform.as.admin.issueToken({ organisation: slug, role, label: 'stranger' })).secret;
    }
    const { id: tokenId } = await issue('caller');
    const invited = await send('POST', '/v1/invitations', {
      token: platform.credentials.operator,
      body: { role: 'operator-viewer' },
    });
    const existing: Record<string, string> = {
      installations: shop.id,
      tokens: tokenId,
      invitations: JSON.parse(invited.text).invitation.id,
    };
    let compared = 0;
    for (const route of allRoutes(fakePorts())) {
      const id = existing[/^\/v1\/([a-z-]+)\/:id(?:\/|$)/.exec(route.path)?.[1] ?? ''];
      if (id === undefined || !Array.isArray(route.allow)) continue;
      for (const [kind, token] of Object.entries(strangers)) {
        const role = kind === 'operator' ? 'operator-owner' : 'publisher';
        const may = (route.allow as readonly Permission[]).some((each) =>
          (PERMISSIONS[role] as readonly Permission[]).includes(each),
        );
        if (!may) continue;
        const answers = [];
        for (const asked of [id, uuidv7()]) {
          const { status, problem } = await send(route.method, addressOf(route, { id: asked }), {
            token,
            ...(route.body && { body: BODIES[`${route.method} ${route.path}`] ?? {} }),
          });
          answers.push({ status, code: problem?.code, title: problem?.title, detail: problem?.detail });
        }
        compared += 1;
        expect(answers[0], `${kind}: ${route.method} ${route.path}`).to.deep.equal(answers[1]);
        expect(answers[0]!.status, `${kind}: ${route.method} ${route.path}`).to.be.within(400, 499);
      }
    }
    expect(compared).to.be.greaterThan(25);
    const still = await platform.as.operator.findInstallation(shop.id);
    expect(still).to.include({ enabled: true, slug: 'shop' });
  });

  it('takes whatever SQL is written into a body for text', async () => {
    const session = await logIn(platform);
    const before = await counts();
    for (const route of allRoutes(fakePorts())) {
      if (!route.body) continue;
      const fields = (route.body as { properties?: Record<string, { type?: string }> }).properties ?? {};
      const example = BODIES[`${route.method} ${route.path}`] ?? {};
      for (const field of Object.keys(fields)) {
        for (const hostile of ["'; drop table organisations; --", "' or '1'='1", '\\', '$1', '%_', '{"$ne":null}']) {
          for (const value of [hostile, [hostile], { [hostile]: hostile }]) {
            const program = platform.credentials[route.path.startsWith('/v1/installations') ? 'operator' : 'admin'];
            const token = route.allow === 'account' ? session : program;
            const body = { ...example, [field]: value };
            const { status, text } = await send(route.method, addressOf(route, { id: uuidv7() }), { token, body });
            // 501: what this host does not have.
            if (status !== 501) expect(status, `${route.method} ${route.path} ${field} ${text}`).to.be.below(500);
          }
        }
      }
    }
    expect((await send('GET', '/v1/account', { token: session })).status, 'the session has lasted').to.equal(200);
    expect(await counts()).to.deep.equal(before);
  });

  const counts = async () => {
    const tables = ['organisations', 'installations', 'releases', 'publisher_keys', 'memberships', 'accounts'];
    return Promise.all(tables.map(async (name) => Number((await platform.database.system(name).count())[0]!.count)));
  };
});

const ownerMay = (permission: Permission) =>
  (PERMISSIONS['operator-owner'] as readonly Permission[]).includes(permission);

/** Bodies that fit, so that it is the id that is judged. */
const BODIES: Record<string, object> = {
  'PATCH /v1/installations/:id': { enabled: false },
  'POST /v1/installations/:id/rollback': {},
  'PATCH /v1/installations/:id/recording-settings': { sampleRate: 0.5 },
  'PUT /v1/installations/:id/secrets/:secret': { value: 'key-123456' },
  'POST /v1/installations/:id/hooks/:hook': { eventId: 'e-1', payload: {} },
};

const PARAMS: Record<string, string> = {
  id: '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11',
  slug: 'acme-labs',
  publisher: 'acme-labs',
  name: 'plugin-1',
  version: '1.0.0',
  secret: 'API_KEY',
  message: '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11',
  delivery: '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11',
  digest: 'a'.repeat(64),
  capability: 'kv',
  hook: 'order.cancelled',
};
const addressOf = ({ path }: Pick<Route, 'path'>, params: Record<string, string> = {}): string =>
  path.replace(/:(\w+)/g, (_, name) => params[name] ?? PARAMS[name] ?? 'x');
