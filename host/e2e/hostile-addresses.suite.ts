import { connect } from 'node:net';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { can, PERMISSIONS, type Role } from '../../registry/index.ts';
import { fakePorts } from '../http/fake-ports.ts';
import type { Route } from '../http/route.ts';
import { allRoutes } from '../routes/index.ts';
import type { TestPlatform } from './test-platform.ts';

/** What strangers put into addresses, percent-encoded. */
const HOSTILE = [
  ...[
    "'",
    "' or '1'='1' --",
    "'; drop table installations; --",
    '\\',
    '%',
    '$1',
    '*',
    '__proto__',
    '..',
    '\u202e',
    '😀',
  ],
  ...[
    '\0',
    'a\0b',
    '\r\nSet-Cookie: a=b\r\n\r\n<script>',
    '<script>alert(1)</script>',
    'x'.repeat(5_000),
    '-1',
    '1e309',
  ],
].map(encodeURIComponent);
/** No UTF-8, half a surrogate pair, a slash that is none, and escapes that are none. */
const BROKEN = ['%ff', '%ED%A0%80', '%C0%AF', '%', '%zz'];

const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const PLAIN: Record<string, string> = { publisher: 'acme-labs', name: 'plugin-1', version: '1.0.0', slug: 'acme-labs' };

/** Every address of a route with a hostile value in one place, the other places being well-formed. */
function* hostileTargets({ path, query }: Route): Generator<string> {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const filled = (change: Record<string, string>) =>
    path.replace(/:(\w+)/g, (_, name: string) => change[name] ?? PLAIN[name] ?? ID);
  for (const value of [...HOSTILE, ...BROKEN]) for (const name of names) yield filled({ [name]: value });
  const properties = Object.keys((query as { properties?: object } | undefined)?.properties ?? {});
  for (const value of [...HOSTILE, ...BROKEN]) {
    for (const name of properties) yield `${filled({})}?${name}=${value}`;
    if (properties.length > 0) yield `${filled({})}?${value}=1`;
  }
}

/** Sends a request line as it is: `fetch` would tidy it up. */
function send(port: number, method: string, target: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    );
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      // Streams of events do not end by themselves.
      if (text.includes('text/event-stream')) socket.destroy();
    });
    socket.on('close', () => resolve(text)).on('error', reject);
  });
}

/** Logged in a moment ago, with a second factor. */
export async function logIn({ database, host }: TestPlatform): Promise<string> {
  const account = { id: uuidv7(), username: `h_${uuidv7().slice(-12)}` };
  await database.system('accounts').insert({ ...account, state: 'active', person_key: Buffer.alloc(93, 1) });
  const device = { name: 'test', userAgent: '', address: '127.0.0.1' };
  return (await host.people.sessions.open({ ...account, sessionEpoch: 0 }, device, { factorAtMs: Date.now() }))
    .accessToken;
}

const AT_A_TIME = 16;

/** Every route of the platform, with everything hostile that fits into an address, by somebody who may use it. */
export function describeHostileAddresses(platform: () => TestPlatform): void {
  describe('addresses', () => {
    for (const how of ['of routes that read', 'of routes that change something']) {
      it(`${how} may hold whatever strangers think of: it is refused or not found, and never a fault of the host`, async () => {
        const { host, credentials, as } = platform();
        const { port } = new URL(host.url);
        const tokens: Partial<Record<Role, string>> = {
          admin: credentials.admin,
          moderator: credentials.moderator,
          publisher: credentials.publisher,
          'operator-owner': credentials.operator,
          caller: credentials.caller,
        };
        const before = await as.operator.listInstallations();
        const session = await logIn(platform());
        const requests: [method: string, target: string, token: string][] = [];
        for (const route of allRoutes(fakePorts())) {
          if ((route.method === 'GET') !== (how === 'of routes that read')) continue;
          const roles = Object.keys(PERMISSIONS) as Role[];
          const { allow } = route;
          const role = roles.find(
            (each) => tokens[each] && (typeof allow === 'string' || allow.some((permission) => can(each, permission))),
          );
          const token = allow === 'account' ? session : tokens[role ?? 'admin']!;
          for (const target of hostileTargets(route)) requests.push([route.method, target, token]);
        }
        expect(requests).to.have.length.above(500);
        let next = 0;
        const worker = async () => {
          for (let each = requests[next++]; each !== undefined; each = requests[next++]) {
            const [method, target] = each;
            const text = await send(Number(port), ...each);
            const what = `${method} ${target.slice(0, 200)}`;
            const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
            expect(status, what).to.be.within(200, 499);
            const [head = ''] = text.split('\r\n\r\n');
            expect(head, what).not.to.match(/^set-cookie: a=b/im);
            if (status >= 400) expect(head, what).to.match(/^content-type: application\/problem\+json$/im);
          }
        };
        await Promise.all(Array.from({ length: AT_A_TIME }, worker));
        expect((await as.operator.listInstallations()).items).to.deep.equal(before.items);
        const own = await fetch(`${host.url}/v1/account`, { headers: { authorization: `Bearer ${session}` } });
        expect(own.status, 'the session has lasted').to.equal(200);
      }).timeout(180_000);
    }

    it('of plugins reach them as they were sent, or not at all', async () => {
      const { host, credentials } = platform();
      const { port } = new URL(host.url);
      for (const value of [...HOSTILE, ...BROKEN]) {
        for (const target of [
          `/run/${value}/x/`,
          `/run/arcade-one/${value}/`,
          `/run/arcade-one/nothing/${value}?${value}`,
        ]) {
          const text = await send(Number(port), 'GET', target, credentials.caller);
          expect(text, target.slice(0, 200))
            .to.match(/^HTTP\/1\.1 4\d\d /)
            .and.not.match(/^set-cookie: a=b/im);
        }
      }
    });
  });
}
