import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type AbortNotice, SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { answered, ID, type Served, sendRaw, serveFakes } from '../http/fake-ports.ts';
import { PluginFaultError, type RunRequest } from '../invocations/contract.ts';

describe('the data plane', () => {
  let served: Served;
  let seen: RunRequest[];
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));
  beforeEach(() => {
    seen = [];
    served.fake.failure.thrown = undefined;
    served.fake.lines.length = 0;
    served.fake.run = async (request) => {
      seen.push(request);
      return answered('hello');
    };
  });

  const get = (path = '/', init?: RequestInit) => fetch(`${served.origin}/run/acme/shop${path}`, init);
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

  describe('requests', () => {
    it('reach the plugin with method, path, query, headers and caller', async () => {
      await served.as('caller', '/run/acme/shop/orders/a%2Fb?x=1&x=%20', {
        method: 'DELETE',
        headers: { 'x-thing': '1' },
      });
      expect(seen[0]).to.include({
        address: 'acme/shop',
        method: 'DELETE',
        path: '/orders/a%2Fb',
        url: 'https://gate.example/orders/a%2Fb?x=1&x=%20',
      });
      expect(seen[0]!.headers).to.deep.include(['x-thing', '1']);
      expect(seen[0]!.headers.map(([name]) => name)).not.to.include.members(['authorization', 'host', 'connection']);
      expect(seen[0]!.principal).to.include({ role: 'caller' });
    });

    it('come without a caller where no credentials were sent', async () => {
      await get();
      expect(seen[0]!.principal).to.equal(null);
    });

    it('are refused with bad credentials, also on routes that need none', async () => {
      const response = await get('/', { headers: { authorization: 'Bearer stolen' } });
      expect(response.status).to.equal(401);
      expect(response.headers.get('www-authenticate')).to.include('invalid_token');
      expect(await codeOf(response)).to.equal('token-invalid');
      expect(seen).to.deep.equal([]);
    });

    it('are refused where the address or the method is none of ours', async () => {
      expect(await codeOf(await fetch(`${served.origin}/run/acme`))).to.equal('route-unknown');
      expect(await sendRaw(served.port, 'GET /run/acme/shop/../../v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n')).to.include(
        '"code":"request-malformed"',
      );
      const trace = await sendRaw(served.port, 'PROPFIND /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(trace)
        .to.match(/^HTTP\/1\.1 405 /)
        .and.to.include('Allow: GET, HEAD, POST');
      expect(seen).to.deep.equal([]);
    });

    it('bring their bodies as bytes, whatever they are', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      let read: Buffer | undefined;
      served.fake.run = async ({ readBody }) => {
        read = await readBody(10);
        return answered(null);
      };
      await get('/', { method: 'POST', body: bytes, headers: { 'content-type': 'application/octet-stream' } });
      expect(read).to.deep.equal(bytes);
      await get('/', { method: 'POST' });
      expect(read).to.deep.equal(Buffer.alloc(0));
    });

    it('are refused when the body is over the limit of the plugin, declared or not, or compressed', async () => {
      served.fake.run = async ({ readBody }) => answered(String((await readBody(4)).length));
      expect(await (await get('/', { method: 'PUT', body: '1234' })).text()).to.equal('4');
      expect((await get('/', { method: 'PUT', body: '12345' })).status).to.equal(413);
      const body = new ReadableStream({
        start: (stream) => {
          for (let at = 0; at < 3; at++) stream.enqueue(Buffer.from('12'));
          stream.close();
        },
      });
      const chunked = await get('/', { method: 'PUT', body, duplex: 'half' } as RequestInit);
      expect(chunked.status).to.equal(413);
      expect(await chunked.json()).to.include({ code: 'body-too-large', bytesMax: 4 });
      const headers = { 'content-encoding': 'gzip' };
      expect((await get('/', { method: 'PUT', body: gzipSync('1'), headers })).status).to.equal(415);
    });

    for (const reads of [0, 1]) {
      it(`do not go on for long after an answer that came after ${reads} of their pieces`, async () => {
        served.fake.run = async ({ openBody }) => {
          const read = openBody(1_000_000_000)!;
          for (let at = 0; at < reads; at++) await read();
          return answered('enough');
        };
        const socket = connect(served.port, '127.0.0.1').on('error', () => {});
        socket.write('POST /run/acme/shop/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
        const piece = `1000\r\n${'x'.repeat(4_096)}\r\n`;
        const sending = setInterval(() => socket.write(piece), 20);
        // What is sent must be read, or the end of the connection is never seen.
        socket.resume();
        await new Promise((resolve) => socket.once('close', resolve));
        clearInterval(sending);
      }).timeout(30_000);
    }

    it('that break off do not reach the plugin', async () => {
      let outcome: unknown;
      const ended = new Promise<void>((resolve) => {
        served.fake.run = ({ readBody }) =>
          Promise.resolve(readBody(100))
            .catch((error) => {
              outcome = error;
              throw error;
            })
            .then(() => answered(''))
            .finally(() => resolve());
      });
      const socket = connect(served.port, '127.0.0.1');
      socket.end('POST /run/acme/shop/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf');
      await ended;
      expect(outcome).to.be.instanceOf(HostRefusal).and.to.include({ code: 'body-malformed' });
    });

    it('are aborted when the client goes away', async () => {
      const aborter = new AbortController();
      const aborted = new Promise<string>((resolve) => {
        served.fake.run = ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              resolve('aborted');
              reject(new SandboxRefusal('invocation-aborted'));
            });
            aborter.abort();
          });
      });
      await get('/', { signal: aborter.signal }).catch(() => undefined);
      expect(await aborted).to.equal('aborted');
      served.fake.run = async () => answered('still here');
      expect(await (await get()).text()).to.equal('still here');
    });

    it('are not aborted by an answer', async () => {
      let signal: AbortNotice | undefined;
      served.fake.run = async (request) => {
        signal = request.signal;
        return answered('x');
      };
      await (await get('/', { headers: { connection: 'close' } })).text();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(signal!.aborted).to.equal(false);
    });
  });

  describe('an overloaded host', () => {
    let inside: number;
    let overloaded: boolean;
    before(() => {
      served.fake.load = {
        enter: () => {
          if (overloaded) return new HostRefusal('host-overloaded', undefined, { reason: 'event-loop-delay' });
          inside += 1;
          return null;
        },
        leave: () => {
          inside -= 1;
        },
      };
    });
    after(() => {
      served.fake.load = undefined;
    });
    beforeEach(() => {
      inside = 0;
      overloaded = false;
    });

    it('refuses before it looks at credentials or bodies, and says when to come back', async () => {
      overloaded = true;
      const url = `${served.origin}/run/acme/shop/`;
      const headers = { authorization: 'Bearer stolen' };
      const response = await fetch(url, { method: 'POST', headers, body: 'x'.repeat(100_000) });
      expect(response.status).to.equal(503);
      expect(response.headers.get('retry-after')).to.equal('1');
      expect(await response.json()).to.include({ code: 'host-overloaded', reason: 'event-loop-delay' });
      expect([inside, seen.length]).to.deep.equal([0, 0]);
    });

    it('goes on with probes, metrics and the control plane', async () => {
      overloaded = true;
      for (const path of ['/healthz', '/readyz', '/v1/plugins']) {
        expect((await served.as('admin', path)).status, path).to.equal(200);
      }
      await served.as('caller', '/run/acme/shop/', { method: 'OPTIONS' });
      expect(await (await served.as('admin', '/metrics')).text()).to.include(
        'gatehouse_http_request_seconds_count{method="OPTIONS",route="/run/:operator/:installation/*",status="503"} 1',
      );
    });

    it('counts a request until it is answered, however it ends', async () => {
      const counts: number[] = [];
      served.fake.run = async () => {
        counts.push(inside);
        return answered('x');
      };
      await (await fetch(`${served.origin}/run/acme/shop/`)).text();
      served.fake.failure.thrown = new HostRefusal('installation-unknown');
      await (await fetch(`${served.origin}/run/acme/shop/`)).text();
      await (await fetch(`${served.origin}/run/acme`)).text();
      expect(counts).to.deep.equal([1]);
      expect(inside).to.equal(0);
    });
  });

  describe('answers', () => {
    const answer = (status: number, headers: [string, string][] = [], body: string | null = 'body') => {
      served.fake.run = async () => answered(body, { status, headers });
      return get();
    };

    it('come back with status, headers and body, marked with the invocation', async () => {
      const response = await answer(418, [
        ['Content-Type', 'text/x-tea'],
        ['x-kept', 'a;b'],
      ]);
      expect(response.status).to.equal(418);
      expect(response.headers.get('content-type')).to.equal('text/x-tea');
      expect(response.headers.get('x-kept')).to.equal('a;b');
      expect(response.headers.get('x-gatehouse-invocation')).to.equal(ID);
      expect(response.headers.get('content-length')).to.equal('4');
      expect(await response.text()).to.equal('body');
    });

    it('always carry our sandboxing policy and nothing that loosens it', async () => {
      const { headers } = await answer(200, [
        ['Content-Security-Policy', "script-src 'unsafe-inline'; sandbox allow-scripts allow-same-origin"],
        ['X-Content-Type-Options', 'sniff'],
        ['Set-Cookie', '__Host-session=stolen'],
        ['Strict-Transport-Security', 'max-age=0'],
        ['Server', 'plugin'],
        ['X-Gatehouse-Invocation', 'forged'],
        ['Content-Length', '1'],
        ['Transfer-Encoding', 'chunked'],
      ]);
      expect(headers.get('content-security-policy')).to.equal("sandbox; frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
      expect(headers.get('x-gatehouse-invocation')).to.equal(ID);
      expect(headers.get('content-length')).to.equal('4');
      expect(headers.get('strict-transport-security')).to.equal('max-age=31536000');
      for (const name of ['set-cookie', 'server', 'transfer-encoding']) {
        expect(headers.has(name), name).to.equal(false);
      }
    });

    it('cannot be split', async () => {
      served.fake.run = async () =>
        answered('', {
          headers: [
            ['x-split', 'b\r\nSet-Cookie: c=d'],
            ['x-begin\r\nx-end', 'd'],
          ],
        });
      const text = await sendRaw(served.port, 'GET /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(text)
        .to.match(/^HTTP\/1\.1 200 /)
        .and.not.to.match(/x-split|x-begin|x-end|Set-Cookie/i);
    });

    it('are not cached unless the plugin says so', async () => {
      expect((await answer(200)).headers.get('cache-control')).to.equal('no-store');
      expect((await answer(200, [['Cache-Control', 'max-age=9']])).headers.get('cache-control')).to.equal('max-age=9');
      expect((await answer(200, [['Vary', 'cache-control']])).headers.get('cache-control')).to.equal('no-store');
    });

    it('carry bytes as they are', async () => {
      const bytes = Buffer.from([0, 255, 13, 10]);
      served.fake.run = async () => answered(bytes.toString('base64'), { bodyEncoding: 'base64' });
      expect(Buffer.from(await (await get()).arrayBuffer())).to.deep.equal(bytes);
      served.fake.run = async () => answered('€😀');
      const response = await get();
      expect(response.headers.get('content-length')).to.equal('7');
      expect(await response.text()).to.equal('€😀');
    });

    it('have no body where the status has none, and the connection stays in step', async () => {
      for (const status of [204, 205, 304]) {
        served.fake.run = async () => answered('smuggled', { status });
        const [first, last] = ['keep-alive', 'close'].map(
          (then) => `GET /run/acme/shop/ HTTP/1.1\r\nHost: x\r\nConnection: ${then}\r\n\r\n`,
        );
        const text = await sendRaw(served.port, `${first}${last}`, 10_000);
        expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal([`HTTP/1.1 ${status}`, `HTTP/1.1 ${status}`]);
        expect(text).not.to.include('smuggled');
      }
    });

    it('have no body for HEAD, but its length', async () => {
      const response = await get('/', { method: 'HEAD' });
      expect(seen[0]!.method).to.equal('HEAD');
      expect(response.headers.get('content-length')).to.equal('5');
      expect(await response.text()).to.equal('');
    });

    it('with an impossible status or too many headers are a fault of the plugin', async () => {
      for (const status of [100, 101, 199, 600, 0, -1, 200.5, Number.NaN]) {
        const response = await answer(status);
        expect(response.status, String(status)).to.equal(502);
        expect(response.headers.get('x-gatehouse-invocation')).to.equal(ID);
        expect(await codeOf(response)).to.equal('plugin-answer-invalid');
      }
      const many = Array.from({ length: 101 }, (_, at): [string, string] => [`x-${at}`, '']);
      expect((await answer(200, many)).status).to.equal(502);
    });
  });

  describe('refusals', () => {
    it('are problems with their own request id, and safe headers', async () => {
      served.fake.failure.thrown = new HostRefusal('installation-unknown');
      const response = await get();
      expect(response.status).to.equal(404);
      expect(response.headers.get('content-type')).to.equal('application/problem+json');
      expect(response.headers.get('cache-control')).to.equal('no-store');
      expect(response.headers.get('content-security-policy')).to.include("default-src 'none'");
      const problem = (await response.json()) as { instance: string };
      expect(problem.instance).to.equal(`urn:request:${response.headers.get('x-request-id')}`);
    });

    it("name a plugin's fault by code and invocation, and hide what it threw", async () => {
      served.fake.failure.thrown = new PluginFaultError(
        { code: 'plugin-threw', message: 'secret', stack: 'secret' },
        ID,
      );
      const response = await get();
      expect(response.status).to.equal(502);
      expect(response.headers.get('x-gatehouse-invocation')).to.equal(ID);
      const text = await response.text();
      expect(text).to.include(`"invocationId":"${ID}"`).and.not.to.include('secret');
    });

    it('say when to try again', async () => {
      served.fake.failure.thrown = new HostRefusal('installation-saturated');
      const response = await get();
      expect([response.status, response.headers.get('retry-after')]).to.deep.equal([429, '1']);
    });

    it('leak nothing of a fault of the host, which is logged', async () => {
      served.fake.failure.thrown = new TypeError('secret');
      const text = await (await get()).text();
      expect(text).to.include('"code":"internal-error"').and.not.to.include('secret');
      const [line] = served.fake.lines;
      expect(line).to.deep.include({ level: 'error', message: 'request failed' });
      expect(text).to.include(line!.facts.requestId as string);
    });
  });

  it('is counted under one template', async () => {
    await (await get('/some/path')).text();
    const { text } = await served.fake.metrics.expose();
    expect(text).to.match(/route="\/run\/:operator\/:installation\/\*",status="200"\} \d/);
    expect(text).not.to.include('some/path');
  });
});
