import { expect } from 'chai';
import { can, PERMISSIONS, type Role } from '../../registry/index.ts';
import { allRoutes } from '../routes/index.ts';
import { answered, fakePorts, ID, type Served, sendRaw, serveFakes } from './fake-ports.ts';

const ROLES = Object.keys(PERMISSIONS) as Role[];

/** Of every answer whatsoever. */
const ALWAYS: Record<string, RegExp> = {
  'content-security-policy': /(?:^|; ?)frame-ancestors 'none'/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'x-frame-options': /^DENY$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-embedder-policy': /^require-corp$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'origin-agent-cluster': /^\?1$/,
  'permissions-policy': /camera=\(\)/,
  'cache-control': /^(?:no-store|no-cache|public, max-age=300)$/,
};
const NEVER = ['server', 'x-powered-by'];

/** Headers of a raw answer; throws where one stands twice, as nobody knows which of them counts. */
function headersOf(text: string): Map<string, string> {
  const [, ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    expect(headers.has(name), `${name} stands twice`).to.equal(false);
    headers.set(name, line.slice(line.indexOf(':') + 1).trim());
  }
  return headers;
}

function expectProtected(text: string, { https, from }: { https: boolean; from: string }): void {
  const headers = headersOf(text);
  for (const [name, pattern] of Object.entries(ALWAYS))
    expect(headers.get(name), `${name} of ${from}`).to.match(pattern);
  expect(headers.get('content-security-policy'), from).not.to.include('unsafe');
  for (const name of NEVER) expect(headers.has(name), `${name} of ${from}`).to.equal(false);
  expect(headers.has('strict-transport-security'), `transport of ${from}`).to.equal(https);
}

const PARAMS: Record<string, string> = { id: ID, message: ID, slug: 'acme', file: 'style.css', code: 'cpu-limit' };
const fill = (path: string) => path.replace(/:(\w+)/g, (_, name: string) => PARAMS[name] ?? 'x');

for (const https of [true, false]) {
  describe(`answers ${https ? 'behind https' : 'on plain http'}`, () => {
    let served: Served;
    before(async () => {
      const publicOrigin = () => (https ? 'https://gate.example' : 'http://gate.example');
      served = await serveFakes({ https }, { publicOrigin });
    });
    after(() => served.http.close(0));
    const request = (target: string, { method = 'GET', role = '', more = '' } = {}) =>
      sendRaw(
        served.port,
        `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${role && `Authorization: Bearer token-of-${role}\r\n`}${more}\r\n`,
      );

    it('of every route carry every header of protection, once, whether they are given or refused', async () => {
      for (const { method, path, allow } of allRoutes(fakePorts())) {
        const from = `${method} ${path}`;
        expectProtected(await request(fill(path), { method }), { https, from: `${from}, by nobody` });
        const role = ROLES.find(
          (each) => typeof allow === 'string' || allow.some((permission) => can(each, permission)),
        );
        expectProtected(await request(fill(path), { method, role }), { https, from });
      }
    });

    it('of no route, of other methods and to HEAD and OPTIONS do too', async () => {
      for (const [method, target] of [
        ['GET', '/nothing'],
        ['PURGE', '/'],
        ['HEAD', '/'],
        ['OPTIONS', '/v1/keys'],
        ['GET', '/%'],
      ] as const) {
        expectProtected(await request(target, { method }), { https, from: `${method} ${target}` });
      }
    });

    it('to what is no HTTP, too large, too long or too slow do too', async () => {
      const texts = {
        nonsense: 'nonsense\r\n\r\n',
        'a large header': `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
        'many headers': `GET / HTTP/1.1\r\nHost: x\r\n${'x: y\r\n'.repeat(200)}\r\n`,
        'a long address': `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      };
      for (const [from, text] of Object.entries(texts)) {
        const answer = await sendRaw(served.port, text, 3_000);
        expect(answer, from).to.match(/^HTTP\/1\.1 4(?:00|14|31) /);
        expectProtected(answer, { https, from });
      }
      // Nobody else has so little time.
      const hasty = await serveFakes({ headersTimeoutMs: 200, requestTimeoutMs: 200, https });
      try {
        const answer = await sendRaw(hasty.port, 'GET / HTTP/1.1\r\nHost:', 3_000);
        expect(answer).to.match(/^HTTP\/1\.1 408 /);
        expectProtected(answer, { https, from: 'a slow header' });
      } finally {
        await hasty.http.close(0);
      }
    });

    it('of plugins and of the data plane do too, whatever the plugin says about them', async () => {
      expectProtected(await request('/run/acme'), { https, from: 'the data plane' });
      expectProtected(await request('/run/acme/shop/../..'), { https, from: 'the data plane' });
      served.fake.run = async () => answered('hello');
      expectProtected(await request('/run/acme/shop/'), { https, from: 'a plugin' });
      const loose = [...Object.keys(ALWAYS), ...NEVER, 'strict-transport-security', 'set-cookie']
        .filter((name) => name !== 'cache-control' && name !== 'cross-origin-resource-policy')
        .map((name): [string, string] => [name.toUpperCase(), 'unsafe-loose']);
      served.fake.run = async () => answered('hello', { headers: loose });
      const answer = await request('/run/acme/shop/');
      expectProtected(answer, { https, from: 'a plugin' });
      expect(headersOf(answer).get('content-security-policy')).to.match(/^sandbox;/);
      expect(answer).not.to.match(/unsafe-loose|set-cookie/i);
      served.fake.run = async ({ answerPieces }) => {
        answerPieces.start(ID, { status: 200, headers: loose });
        await answerPieces.write(Buffer.from('piece'));
        return answered(null);
      };
      expectProtected(await request('/run/acme/shop/'), { https, from: 'a plugin that answers in pieces' });
    });
  });
}

describe('answers of plugins', () => {
  let served: Served;
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));

  it('may be embedded by other sites and kept in caches, where the plugin says so', async () => {
    served.fake.run = async () =>
      answered('image', {
        headers: [
          ['Cross-Origin-Resource-Policy', 'cross-origin'],
          ['Cache-Control', 'max-age=60'],
        ],
      });
    const { headers } = await fetch(`${served.origin}/run/acme/shop/`);
    expect(headers.get('cross-origin-resource-policy')).to.equal('cross-origin');
    expect(headers.get('cache-control')).to.equal('max-age=60');
  });

  it('are kept out of caches where what the plugin says cannot be sent', async () => {
    served.fake.run = async () => answered('x', { headers: [['Cache-Control', 'max-age=60\r\nx: y']] });
    const { headers } = await fetch(`${served.origin}/run/acme/shop/`);
    expect(headers.get('cache-control')).to.equal('no-store');
  });
});
