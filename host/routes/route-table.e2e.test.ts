import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { PLUGIN_FAULTS, type PluginFaultCode } from '../../plugins-sdk/contract/index.ts';
import {
  can,
  PERMISSIONS,
  REGISTRY_REFUSALS,
  RegistryRefusal,
  type RegistryRefusalCode,
  type Role,
} from '../../registry/index.ts';
import { SANDBOX_REFUSALS, SandboxRefusal, type SandboxRefusalCode } from '../../sandbox/index.ts';
import { HostRefusal, type HostRefusalCode } from '../errors.ts';
import { envelope, fakePorts, ID, type Served, sendRaw, serveFakes } from '../http/fake-ports.ts';
import { EXPORTED } from '../http/fake-transfers.ts';
import type { ProblemCode } from '../http/problem-codes.ts';
import { statusOf } from '../http/problems.ts';
import { type Route, refusalsOf } from '../http/route.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { allRoutes } from './index.ts';

/** Every test here walks over the table, so a new route is covered once it has an example. */
const ROUTES = allRoutes(fakePorts());
const ROLES = Object.keys(PERMISSIONS) as Role[];

const PARAMS: Record<string, string> = {
  id: ID,
  slug: 'acme',
  keyId: 'a'.repeat(64),
  tag: 'beta',
  username: 'ada',
  publisher: 'acme',
  name: 'hello',
  secret: 'API_KEY',
  message: ID,
  delivery: ID,
  capability: 'kv',
  version: '1.0.0',
  hook: 'order.paid',
  code: 'cpu-limit',
  file: 'style.css',
  index: '0',
  from: '0',
  digest: 'a'.repeat(64),
};

const PASSKEY = {
  id: 'AAAA',
  rawId: 'AAAA',
  type: 'public-key',
  clientExtensionResults: {},
  response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' },
};

const BODIES: Record<string, object> = {
  'POST /v1/accounts': { username: 'ada', password: 'x', email: 'ada@example.com' },
  'POST /v1/accounts/verification': { code: 'x' },
  'POST /v1/accounts/verification-mails': { email: 'ada@example.com' },
  'POST /v1/accounts/password-resets': { email: 'ada@example.com' },
  'POST /v1/accounts/password-resets/confirmation': { code: 'x', password: 'y' },
  'PUT /v1/account/password': { currentPassword: 'x', password: 'y' },
  'POST /v1/account/deactivation': { password: 'x' },
  'POST /v1/sessions': { login: 'ada', password: 'x' },
  'POST /v1/sessions/second-factor': { challenge: 'x', code: '123456' },
  'POST /v1/sessions/passkey': { challenge: 'x', passkey: PASSKEY },
  'POST /v1/sessions/telegram': { initData: 'auth_date=1' },
  'POST /v1/sessions/current/step-up': { recoveryCode: '0000-0000-0000-0000' },
  'POST /v1/account/totp': { label: 'phone' },
  'POST /v1/account/totp/confirmation': { code: '123456' },
  'POST /v1/account/passkeys': {
    challenge: 'x',
    label: 'laptop',
    passkey: { ...PASSKEY, response: { clientDataJSON: 'e30', attestationObject: 'oA' } },
  },
  'PUT /v1/account/telegram': { initData: 'auth_date=1' },
  'POST /v1/sessions/refresh': { refreshToken: 'ghr_x' },
  'POST /v1/organisations': { id: ID, slug: 'acme', kind: 'operator', name: 'Acme' },
  'POST /v1/tokens': { organisation: 'acme', role: 'caller', label: 'till', expiresAt: '2030-01-01T00:00:00Z' },
  'POST /v1/account/organisations': { id: ID, slug: 'acme', kind: 'operator', name: 'Acme' },
  'PATCH /v1/organisations/:slug': { name: 'Acme Two' },
  'PATCH /v1/members/:id': { role: 'operator-viewer' },
  'POST /v1/ownership-offers': { accountId: ID },
  'POST /v1/invitations': { role: 'operator-viewer', address: 'ada@example.com' },
  'POST /v1/invitations/reading': { secret: `ghi_${'a'.repeat(43)}` },
  'POST /v1/invitations/acceptance': { secret: `ghi_${'a'.repeat(43)}` },
  'POST /v1/invitations/refusal': { secret: `ghi_${'a'.repeat(43)}` },
  'POST /v1/tokens/:id/rotation': { overlapSeconds: 3_600 },
  'POST /v1/device-codes': { label: 'gate on a laptop' },
  'POST /v1/device-codes/claim': { deviceCode: `ghd_${'a'.repeat(43)}` },
  'POST /v1/device-codes/reading': { userCode: 'BCDF-GHJK' },
  'POST /v1/device-codes/approval': { userCode: 'BCDF-GHJK', organisation: 'acme' },
  'POST /v1/device-codes/refusal': { userCode: 'BCDF-GHJK' },
  'POST /v1/account/erasure': { username: 'ada' },
  'POST /v1/keys': { publicKeyPem: '-----BEGIN PUBLIC KEY-----', label: 'laptop' },
  'POST /v1/releases': { archive: 'H4sIAAAA', envelope },
  'POST /v1/keys/:keyId/rotation': { publicKeyPem: '-----BEGIN PUBLIC KEY-----', label: 'next', overlapSeconds: 60 },
  'POST /v1/keys/:keyId/revocation': { compromisedSince: '2030-01-01T00:00:00Z' },
  'POST /v1/imports': { exported: EXPORTED, archive: 'AAAA' },
  'POST /v1/uploads': { id: ID, bytes: 10, sha256: 'a'.repeat(64), plugin: 'acme/hello' },
  'POST /v1/uploads/:id/parts': { start: 0, content: 'AAAA' },
  'POST /v1/uploads/:id/release': { envelope },
  'POST /v1/releases/:id/yank': { reason: 'It loses orders.', replacement: '1.0.1', reach: 'a'.repeat(64) },
  'PUT /v1/releases/:id/deprecation': { reason: 'It is old.' },
  'PUT /v1/plugins/:publisher/:name/listing': { listed: false },
  'PUT /v1/plugins/:publisher/:name/dist-tags/:tag': { version: '2.0.0-rc.1' },
  'POST /v1/releases/:id/rejection': { reasons: ['It mines coins.'] },
  'POST /v1/releases/:id/scan/acknowledgement': { reason: 'Asked the publisher.' },
  'PUT /v1/releases/:id/review/assignment': { to: 'me' },
  'PATCH /v1/releases/:id/review/checklist': { code: { verdict: 'fine', note: 'Read it.' } },
  'POST /v1/releases/:id/review/decision': {
    decision: 'reject',
    reasons: [{ code: 'other', message: 'No.', evidence: [{ file: 'bundle.js', line: 1 }] }],
  },
  'POST /v1/releases/:id/review/resubmission': { statement: 'It is needed.' },
  'POST /v1/releases/:id/review/appeal': { statement: 'It is needed.' },
  'POST /v1/releases/:id/takedown': { code: 'malicious-behaviour', message: 'It sends orders away.' },
  'POST /v1/releases/:id/restoration': { reason: 'It was another one.' },
  'PUT /v1/trusted-publishers/:publisher': { reason: 'Two years without a fault.' },
  'POST /v1/installations': { id: ID, plugin: 'acme/hello', slug: 'hello', grants: ['kv'], config: { a: [1] } },
  'PATCH /v1/installations/:id': { enabled: false },
  'POST /v1/installations/:id/rollback': { restoreConfig: true },
  'PUT /v1/plugins/:publisher/:name/stagings/:version': { percents: [5, 100], everySeconds: 3_600 },
  'POST /v1/plugins/:publisher/:name/stagings/:version/decision': { decision: 'halt', reason: 'It loses orders.' },
  'PUT /v1/installations/:id/accepted-signing': { version: '1.0.0', reason: 'Asked its publisher.' },
  'PATCH /v1/installations/:id/recording-settings': { sampleRate: 0.5, share: 'failures' },
  'PUT /v1/catalogue/:publisher/:name/ratings/own': { stars: 4, body: 'Greets well.' },
  'POST /v1/webhooks': { id: ID, url: 'https://example.com/hooks', label: 'shop', types: ['key.revoked'] },
  'PATCH /v1/webhooks/:id': { enabled: false },
  'POST /v1/webhooks/:id/rotation': { overlapSeconds: 3_600 },
  'POST /v1/webhooks/:id/replay': { since: '2026-01-02T03:04:05.678Z' },
  'PUT /v1/ratings/:id/vote': { helpful: true },
  'PUT /v1/ratings/:id/reply': { body: 'Mended.' },
  'PUT /v1/ratings/:id/report': { reason: 'It advertises.' },
  'PUT /v1/ratings/:id/moderation': { hide: 'It advertises.' },
  'PUT /v1/installations/:id/secrets/:secret': { value: 'key-123456' },
  'POST /v1/installations/:id/hooks/:hook': { eventId: 'e-1', payload: { orderId: 'o-1' } },
};

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const addressOf = ({ path }: Route, params = PARAMS): string => path.replace(/:(\w+)/g, (_, name) => params[name]!);

const allows = (route: Route, role: Role): boolean =>
  typeof route.allow === 'string' ? route.allow !== 'account' : route.allow.some((permission) => can(role, permission));
const someRole = (route: Route): Role | 'person' =>
  route.allow === 'account' ? 'person' : ROLES.find((role) => allows(route, role))!;

const initOf = (route: Route, body: unknown = BODIES[nameOf(route)]): RequestInit => ({
  method: route.method,
  ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
});

function thrownFor(code: ProblemCode): Error {
  if (code in REGISTRY_REFUSALS) return new RegistryRefusal(code as RegistryRefusalCode);
  if (code in SANDBOX_REFUSALS) return new SandboxRefusal(code as SandboxRefusalCode);
  if (code in PLUGIN_FAULTS) return new PluginFaultError({ code: code as PluginFaultCode, message: '' }, ID);
  return new HostRefusal(code as HostRefusalCode);
}

const problemIn = async (response: Response) => {
  expect(response.headers.get('content-type')).to.equal('application/problem+json');
  expect(response.headers.get('cache-control')).to.equal('no-store');
  const problem = (await response.json()) as { code: string; status: number; instance: string; faults?: object[] };
  expect(problem.status).to.equal(response.status);
  expect(problem.instance).to.equal(`urn:request:${response.headers.get('x-request-id')}`);
  return problem;
};

describe('every route', () => {
  let served: Served;
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));
  beforeEach(() => {
    served.fake.failure.thrown = undefined;
    served.fake.calls.length = 0;
  });

  const ajv = formats.default(new Ajv({ strict: false, allErrors: true }));

  for (const route of ROUTES) {
    describe(nameOf(route), () => {
      it('answers as its schema says', async () => {
        const response = await served.as(someRole(route), addressOf(route), initOf(route));
        expect(Object.keys(route.reply), await response.clone().text()).to.include(String(response.status));
        const schema = route.reply[response.status]!;
        if (schema === null) return expect(await response.text()).to.equal('');
        if ('contentMediaType' in schema) return expect(await response.text()).not.to.equal('');
        const fits = ajv.compile(schema);
        expect(fits(await response.json()), ajv.errorsText(fits.errors)).to.equal(true);
      });

      if (route.allow === 'public') {
        it('needs no token, and does not look at one', async () => {
          const headers = { authorization: 'Bearer nobody' };
          const init = initOf(route);
          const response = await fetch(served.origin + addressOf(route), {
            ...init,
            headers: { ...init.headers, ...headers },
          });
          expect(response.status).to.be.below(300);
        });
      } else {
        it('refuses requests without a token, or with a bad one, and calls nothing', async () => {
          const init = initOf(route);
          const missing = await fetch(served.origin + addressOf(route), init);
          expect((await problemIn(missing)).code).to.equal('token-missing');
          expect(missing.headers.get('www-authenticate')).to.equal('Bearer realm="gatehouse"');
          for (const authorization of [
            'Bearer nobody',
            'Bearer',
            'Basic YTpi',
            'Bearer a b',
            `Bearer ${'a'.repeat(1_100)}`,
          ]) {
            const bad = await fetch(served.origin + addressOf(route), {
              ...init,
              headers: { ...init.headers, authorization },
            });
            expect(bad.status, authorization).to.equal(401);
            expect((await problemIn(bad)).code).to.equal('token-invalid');
          }
          expect(served.fake.calls).to.deep.equal([]);
        });

        it('lets exactly the roles in that have the permission', async () => {
          for (const role of ROLES) {
            const response = await served.as(role, addressOf(route), initOf(route));
            if (allows(route, role)) expect(response.status, role).to.be.below(300);
            else {
              const code = route.allow === 'account' ? 'session-needed' : 'permission-denied';
              expect((await problemIn(response)).code, role).to.equal(code);
            }
          }
          if (route.allow === 'account') return;
          const person = await served.as('person', addressOf(route), initOf(route));
          expect((await problemIn(person)).code, 'a person without an organisation').to.equal('organisation-needed');
        });
      }

      if (/:(?:id|slug|publisher)/.test(route.path) && route.params) {
        it('refuses a malformed address and names the part', async () => {
          const address = addressOf(route, { ...PARAMS, id: '1', slug: 'No_Slug', publisher: 'No_Slug' });
          const problem = await problemIn(await served.as(someRole(route), address, initOf(route)));
          expect(problem.code).to.equal('query-invalid');
          expect(JSON.stringify(problem.faults)).to.match(/"\/path\/(?:id|slug|publisher)"/);
        });
      }

      if (route.query) {
        it('refuses unknown, repeated and misfitting parameters, all at once', async () => {
          const known = (route.query as { properties?: object }).properties ?? {};
          const isPaged = 'cursor' in known && 'limit' in known;
          const query = isPaged
            ? 'limit=101&cursor=a&cursor=b&nonsense=1'
            : 'stored=a&nonsense=1&nonsense=2&version=%00';
          const init = { method: route.method };
          const problem = await problemIn(await served.as(someRole(route), `${addressOf(route)}?${query}`, init));
          expect(problem).to.include({ code: 'query-invalid', status: 400 });
          expect(problem.faults).to.deep.include({ pointer: '/query/nonsense', message: 'is not a known field' });
          if (!isPaged) return expect(problem.faults).to.have.length.above(1);
          expect(problem.faults).to.have.deep.members([
            { pointer: '/query/cursor', message: 'is given twice' },
            { pointer: '/query/nonsense', message: 'is not a known field' },
            { pointer: '/query/limit', message: 'must be <= 100' },
          ]);
        });
      }

      if (route.body) {
        it('refuses a body that does not fit, with a pointer to each fault', async () => {
          for (const body of [{ nonsense: 1 }, null, [], 'text', 7]) {
            const problem = await problemIn(await served.as(someRole(route), addressOf(route), initOf(route, body)));
            expect(problem).to.include({ code: 'body-invalid', status: 422 });
            expect(problem.faults).to.not.be.empty;
            if (body !== null && typeof body === 'object' && 'nonsense' in body) {
              expect(problem.faults).to.deep.include({ pointer: '/nonsense', message: 'is not a known field' });
            }
          }
          expect(served.fake.calls).to.deep.equal([]);
        });

        it("refuses members that are nobody's to set", async () => {
          const known = BODIES[nameOf(route)]!;
          const fields = Object.keys((route.body as { properties?: object }).properties ?? {});
          for (const member of ['id', 'role', 'organisationId', 'accountId', 'permissions', 'state', 'createdAt']) {
            if (fields.includes(member)) continue;
            const body = { ...known, [member]: ID };
            const problem = await problemIn(await served.as(someRole(route), addressOf(route), initOf(route, body)));
            expect(problem.code, member).to.equal('body-invalid');
            expect(problem.faults).to.deep.include({ pointer: `/${member}`, message: 'is not a known field' });
          }
          expect(served.fake.calls).to.deep.equal([]);
        });
      }

      const callsPorts =
        route.path.startsWith('/v1/') && !['/v1/whoami', '/v1/permissions', '/v1/event-types'].includes(route.path);
      if (!callsPorts) return;

      it('answers every refusal it declares with its status', async () => {
        for (const code of refusalsOf(route)) {
          served.fake.failure.thrown = thrownFor(code);
          const response = await served.as(someRole(route), addressOf(route), initOf(route));
          expect(response.status, code).to.equal(statusOf(code));
          expect((await problemIn(response)).code).to.equal(code);
        }
      });

      it('tells an outage of the database from a fault of the host, and leaks neither', async () => {
        const outage = Object.assign(new Error('connect ECONNREFUSED /secret/socket'), { code: 'ECONNREFUSED' });
        for (const [thrown, code] of [
          [outage, 'database-unavailable'],
          [new TypeError('secret'), 'internal-error'],
        ] as const) {
          served.fake.failure.thrown = thrown;
          const response = await served.as(someRole(route), addressOf(route), initOf(route));
          const problem = await problemIn(response);
          expect(problem.code).to.equal(code);
          expect(JSON.stringify(problem)).not.to.include('secret');
        }
      });
    });
  }
});

describe('routes', () => {
  let served: Served;
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));
  beforeEach(() => {
    served.fake.calls.length = 0;
  });

  const post = (path: string, body: object): RequestInit & { path: string } => ({
    path,
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

  it('publish hands the archive on as bytes and says where the release is', async () => {
    const { path, ...init } = post('/v1/releases', { archive: Buffer.from('archive').toString('base64'), envelope });
    const response = await served.as('publisher', path, init);
    expect(response.headers.get('location')).to.equal('/v1/releases/acme/hello/1.0.0');
    const [name, , command] = served.fake.calls[0]!;
    expect(name).to.equal('publishRelease');
    expect(command).to.deep.equal({ archive: Buffer.from('archive'), envelope });
  });

  it('find takes a version, a range and the word latest', async () => {
    for (const version of ['latest', '1.0.0', '^1.2', '>=1 <2']) {
      await served.as('operator-owner', `/v1/releases/acme/hello/${encodeURIComponent(version)}`);
      expect(served.fake.calls.pop()![2]).to.deep.equal({ plugin: 'acme/hello', version });
    }
  });

  it('list converts numbers in the query', async () => {
    await served.as('publisher', '/v1/releases?limit=7&state=published&plugin=acme/hello');
    expect({ ...(served.fake.calls[0]![2] as object) }).to.deep.equal({
      limit: 7,
      state: 'published',
      plugin: 'acme/hello',
    });
  });

  it('an organisation that is not there is refused', async () => {
    const response = await served.as('admin', '/v1/organisations/nobody');
    expect((await problemIn(response)).code).to.equal('organisation-unknown');
  });

  it('install refuses every fault of a body at once', async () => {
    const { path, ...init } = post('/v1/installations', {
      id: '1',
      plugin: 'acme',
      slug: 'A',
      grants: ['nonsense'],
      x: 1,
    });
    const { faults } = await problemIn(await served.as('operator-owner', path, init));
    const pointers = faults!.map((fault) => (fault as { pointer: string }).pointer);
    expect(pointers).to.include.members(['/id', '/plugin', '/slug', '/grants/0', '/x']);
  });

  it('whoami says who, in which role, and what it may do', async () => {
    const whoami = (await (await served.as('caller', '/v1/whoami')).json()) as object;
    expect(whoami).to.deep.include({ role: 'caller', permissions: ['installation:invoke', 'hook:deliver'] });
  });

  it('readyz answers 503 while a part is not ready', async () => {
    served.fake.ok = false;
    const response = await fetch(`${served.origin}/readyz`);
    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ ready: false, checks: { database: { ok: false } } });
  });

  it('metrics count requests by route and hide who sent them', async () => {
    await served.as('operator-owner', '/v1/installations');
    const text = await (await served.as('admin', '/metrics')).text();
    expect(text).to.match(
      /gatehouse_http_request_seconds_count\{method="GET",route="\/v1\/installations",status="200"\} \d/,
    );
    expect(text).not.to.include(ID);
  });
});

describe('pages', () => {
  let served: Served;
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));
  const browse = (path: string) => fetch(served.origin + path, { headers: { accept: 'text/html,*/*;q=0.8' } });

  for (const path of ['/', '/docs', '/problems', '/problems/cpu-limit', '/device']) {
    it(`${path} is HTML without anything inline, and every address in it answers`, async () => {
      const response = await browse(path);
      expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      const policy = response.headers.get('content-security-policy');
      expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
      expect(policy).not.to.include('unsafe');
      const text = await response.text();
      expect(text).not.to.match(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/i);
      const addresses = [...text.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, address]) => address!);
      expect(addresses).not.to.be.empty;
      for (const address of addresses) expect((await browse(address)).status, address).to.equal(200);
    });
  }

  it('answer JSON to programs', async () => {
    const home = (await (await fetch(`${served.origin}/`)).json()) as object;
    expect(home).to.deep.include({ name: 'Gatehouse', version: '0.0.0-test' });
    const problem = (await (await fetch(`${served.origin}/problems/cpu-limit`)).json()) as object;
    expect(problem).to.include({ code: 'cpu-limit', status: 502 });
  });

  it('refuse unknown codes and files, whatever they are called', async () => {
    for (const path of [
      '/problems/nope',
      '/problems/__proto__',
      '/assets/constructor',
      '/assets/..%2Fpage.ts',
      '/assets/x',
    ]) {
      const response = await fetch(served.origin + path);
      expect((await problemIn(response)).code, path).to.equal('route-unknown');
    }
  });

  it('are not sent again to a browser that has them', async () => {
    const first = await fetch(`${served.origin}/assets/style.css`);
    expect(first.headers.get('content-type')).to.equal('text/css; charset=utf-8');
    const etag = first.headers.get('etag')!;
    // Not by fetch: it adds `Cache-Control: no-cache` of its own.
    const second = await sendRaw(
      served.port,
      `GET /assets/style.css HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\n\r\n`,
    );
    expect(second)
      .to.match(/^HTTP\/1\.1 304 /)
      .and.to.match(/\r\n\r\n$/);
  });
});
