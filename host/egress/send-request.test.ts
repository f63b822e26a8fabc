import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import { expect } from 'chai';
import { FETCHES_AT_ONCE_MAX } from '../../plugins-sdk/contract/index.ts';
import type { EgressRefusal } from './egress-refusal.ts';
import { createEgress, type EgressOptions, type EgressRequest } from './send-request.ts';
import { rangeOf } from './special-ranges.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from './test-certificate.ts';

const LOOPBACK = [rangeOf('127.0.0.1')];
const RESPONSE_BYTES_MAX = 100_000;

describe('createEgress', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  const listen = async (server: Server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const serve = (listener: RequestListener) => listen(createServer(listener));
  const egress = (options: Partial<EgressOptions> = {}) => {
    const made = createEgress({
      resolveHost: async () => ['127.0.0.1'],
      allowed: LOOPBACK,
      allowHttp: true,
      responseBytesMax: RESPONSE_BYTES_MAX,
      userAgent: 'gatehouse/test',
      ...options,
    });
    closers.push(made.close);
    return made;
  };
  const get = (url: string, more: Partial<EgressRequest> = {}): EgressRequest => ({
    ownerId: 'owner',
    url,
    method: 'GET',
    headers: [],
    body: null,
    redirect: 'follow',
    mayReach: () => true,
    headersFor: async () => [],
    timeoutMs: 10_000,
    ...more,
  });
  const codeOf = (answer: Promise<unknown>) =>
    answer.then(
      () => 'answered',
      ({ code }: EgressRefusal) => code,
    );
  const seenBy = (request: IncomingMessage) => ({ method: request.method, url: request.url, headers: request.headers });

  it('sends a request and hands on the answer', async () => {
    let seen: ReturnType<typeof seenBy> | undefined;
    let sent = '';
    const port = await serve((request, response) => {
      seen = seenBy(request);
      request.on('data', (chunk) => {
        sent += chunk;
      });
      request.on('end', () => {
        response.writeHead(201, { 'X-Answer': 'yes', 'Set-Cookie': ['a=1', 'b=2'] });
        response.end('made');
      });
    });
    const answer = await egress().send(
      get(`http://api.test:${port}/orders?x=1#part`, {
        method: 'POST',
        headers: [['X-Mine', 'me']],
        body: Buffer.from('body'),
        headersFor: async () => [['authorization', 'Bearer key']],
      }),
    );
    expect(sent).to.equal('body');
    expect(seen).to.deep.include({ method: 'POST', url: '/orders?x=1' });
    expect(seen?.headers).to.include({
      host: `api.test:${port}`,
      'x-mine': 'me',
      authorization: 'Bearer key',
      'user-agent': 'gatehouse/test',
    });
    expect(answer).to.deep.include({ status: 201, statusText: 'Created', redirected: false });
    expect(answer.body.toString()).to.equal('made');
    expect(answer.headers).to.deep.include(['x-answer', 'yes']);
    expect(answer.headers.filter(([name]) => name === 'set-cookie')).to.deep.equal([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
  });

  it('sends secrets over http: to this machine alone, also where a redirect leads to another', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/') response.end(request.headers.authorization);
      else response.writeHead(302, { location: `http://other.test:${port}/` }).end();
    });
    const resolveHost = async (name: string) => [name === 'other.test' ? '10.9.8.7' : '127.0.0.1'];
    const sender = egress({ resolveHost, allowed: [...LOOPBACK, rangeOf('10.0.0.0/8')] });
    const headersFor = async (): Promise<[string, string][]> => [['authorization', 'Bearer key']];
    const send = (url: string) => sender.send(get(url, { headersFor, timeoutMs: 3_000 }));
    expect((await send(`http://api.test:${port}/`)).body.toString()).to.equal('Bearer key');
    expect(await codeOf(send(`http://other.test:${port}/`))).to.equal('fetch-url-refused');
    expect(await codeOf(send(`http://10.9.8.7:${port}/`))).to.equal('fetch-url-refused');
    expect(await codeOf(send(`http://api.test:${port}/moved`))).to.equal('fetch-url-refused');
    // The same without a secret is a matter of the network.
    const plain = sender.send(get(`http://other.test:${port}/`, { timeoutMs: 200 }));
    expect(await codeOf(plain)).to.be.oneOf(['fetch-failed', 'fetch-timeout']);
  });

  it('opens no socket to an address that is not public, however the name leads there', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end());
    server.on('connection', () => {
      connections += 1;
    });
    const port = await listen(server);
    for (const addresses of [
      ['127.0.0.1'],
      ['::1'],
      ['8.8.8.8', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
      ['169.254.169.254'],
      ['10.0.0.1'],
    ]) {
      const { send } = egress({ allowed: [], resolveHost: async () => addresses });
      expect(await codeOf(send(get(`http://api.test:${port}/`))), addresses.join()).to.equal('fetch-address-refused');
    }
    for (const host of [
      '127.0.0.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
    ]) {
      const { send } = egress({ allowed: [] });
      expect(await codeOf(send(get(`http://${host}:${port}/`))), host).to.equal('fetch-address-refused');
    }
    expect(connections).to.equal(0);
  });

  it('connects to an address of the answer that it judged, and asks once (DNS rebinding)', async () => {
    const port = await serve((_request, response) => response.end('ok'));
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    let asked = 0;
    const { send } = egress({ resolveHost: async () => answers[asked++]! });
    expect((await send(get(`http://rebind.test:${port}/`))).body.toString()).to.equal('ok');
    expect(asked).to.equal(1);
  });

  it('asks about every redirect whether it is declared, and judges its address', async () => {
    const inside = await serve((_request, response) => response.end('secret'));
    let target = '';
    const port = await serve((_request, response) => response.writeHead(302, { Location: target }).end());
    const start = get(`http://api.test:${port}/`, {
      mayReach: ({ hostname }) => hostname === 'api.test' || hostname === 'inside.test',
    });
    const { send } = egress({ resolveHost: async (name) => (name === 'inside.test' ? ['10.0.0.1'] : ['127.0.0.1']) });
    for (const [location, code] of [
      [`http://other.test:${inside}/`, 'fetch-host-undeclared'],
      [`http://127.0.0.1:${inside}/`, 'fetch-host-undeclared'],
      [`//other.test:${inside}/`, 'fetch-host-undeclared'],
      [`http://inside.test:${inside}/`, 'fetch-address-refused'],
      ['file:///etc/passwd', 'fetch-url-refused'],
      ['gopher://api.test/', 'fetch-url-refused'],
      [`http://user:password@api.test:${inside}/`, 'fetch-url-refused'],
      ['http://[broken', 'fetch-url-refused'],
    ] as const) {
      target = location;
      expect(await codeOf(send(start)), location).to.equal(code);
    }
  });

  it('follows five redirects, and stops at the sixth', async () => {
    let hops = 0;
    const port = await serve((request, response) => {
      hops += 1;
      const left = Number(request.url!.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { Location: `/${left - 1}` }).end();
    });
    const { send } = egress();
    const answer = await send(get(`http://api.test:${port}/5`));
    expect(answer).to.deep.include({ redirected: true, url: `http://api.test:${port}/0` });
    expect(await codeOf(send(get(`http://api.test:${port}/6`)))).to.equal('fetch-redirects-exceeded');
    expect(hops).to.equal(12);
    expect((await send(get(`http://api.test:${port}/5`, { redirect: 'manual' }))).status).to.equal(302);
    expect(await codeOf(send(get(`http://api.test:${port}/5`, { redirect: 'error' })))).to.equal('fetch-failed');
  });

  it('takes no credentials along to another origin, and binds its own to theirs', async () => {
    const seen: Record<string, IncomingMessage['headers']> = {};
    const second = await serve((request, response) => {
      seen.second = request.headers;
      response.end();
    });
    const first = await serve((request, response) => {
      seen.first = request.headers;
      response.writeHead(307, { Location: `http://second.test:${second}/` }).end();
    });
    await egress().send(
      get(`http://first.test:${first}/`, {
        headers: [
          ['Authorization', 'mine'],
          ['Cookie', 'c=1'],
          ['X-Plain', 'stays'],
        ],
        headersFor: async ({ hostname }) => (hostname === 'first.test' ? [['x-key', 'for the first']] : []),
      }),
    );
    expect(seen.first).to.include({ authorization: 'mine', cookie: 'c=1', 'x-key': 'for the first' });
    expect(seen.second).to.include({ 'x-plain': 'stays' });
    expect(seen.second).to.not.have.any.keys('authorization', 'cookie', 'x-key');
  });

  it('turns a redirected POST into a GET where the standard does, without its body', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      seen.push(
        `${request.method} ${request.url} ${request.headers['content-type'] ?? '-'} ${request.headers['content-length'] ?? '-'}`,
      );
      if (request.url === '/') response.end();
      else response.writeHead(Number(request.url!.slice(1)), { Location: '/' }).end();
    });
    const { send } = egress();
    for (const status of [303, 301, 308]) {
      await send(
        get(`http://api.test:${port}/${status}`, {
          method: 'POST',
          body: Buffer.from('{}'),
          headers: [['content-type', 'application/json']],
        }),
      );
    }
    expect(seen.filter((line) => line.includes(' / '))).to.deep.equal([
      'GET / - -',
      'GET / - -',
      'POST / application/json 2',
    ]);
  });

  it('leaves out headers that frame, route or attribute a message, whatever their case', async () => {
    let headers: IncomingMessage['headers'] = {};
    const port = await serve((request, response) => {
      headers = request.headers;
      response.end();
    });
    const own = [
      'Host',
      'Connection',
      'Transfer-Encoding',
      'content-length',
      'X-Forwarded-For',
      'Forwarded',
      'Proxy-Authorization',
      'Expect',
    ].concat(['Upgrade', 'TE', 'X-Real-IP', 'Accept-Encoding', 'Sec-Fetch-Site', 'X-Gatehouse-Invocation']);
    await egress().send(
      get(`http://api.test:${port}/`, {
        headers: [...own.map((name): [string, string] => [name, 'evil']), ['accept', 'text/plain']],
      }),
    );
    expect(Object.values(headers)).to.not.include('evil');
    expect(headers.accept).to.equal('text/plain');
  });

  it('refuses headers that would begin a line, or another request', async () => {
    let requests = 0;
    const port = await serve((_request, response) => {
      requests += 1;
      response.end();
    });
    const { send } = egress();
    for (const pair of [
      ['x', 'a\r\nb: c'],
      ['x', 'a\nb'],
      ['x', 'a\0'],
      ['x\r\ny', 'a'],
      ['x y', 'a'],
      ['', 'a'],
      ['x', '\u0100'],
      ['x:', 'a'],
    ] as const) {
      expect(
        await codeOf(send(get(`http://api.test:${port}/`, { headers: [[...pair]] }))),
        JSON.stringify(pair),
      ).to.equal('fetch-url-refused');
    }
    const split = `http://api.test:${port}/ HTTP/1.1\r\nx: y\r\n\r\nGET /second`;
    await codeOf(send(get(split)));
    expect(requests).to.be.at.most(1);
  });

  it('decodes what is encoded, and says nothing about it', async () => {
    const text = 'word '.repeat(1_000);
    const port = await serve((request, response) => {
      const encoding = request.url!.slice(1);
      const encode = { gzip: zlib.gzipSync, br: zlib.brotliCompressSync, deflate: zlib.deflateSync }[
        encoding as 'gzip'
      ];
      response.writeHead(200, { 'Content-Encoding': encoding }).end(encode(text));
    });
    for (const encoding of ['gzip', 'br', 'deflate']) {
      const answer = await egress().send(get(`http://api.test:${port}/${encoding}`));
      expect(answer.body.toString(), encoding).to.equal(text);
      expect(answer.headers.map(([name]) => name)).to.not.include.members(['content-encoding', 'content-length']);
    }
  });

  it('stops reading an answer that is too large, also one that only becomes so when decoded', async () => {
    const bomb = zlib.gzipSync(zlib.gzipSync(Buffer.alloc(50 * 1024 * 1024)));
    let written = 0;
    const port = await serve((request, response) => {
      if (request.url === '/bomb') return void response.writeHead(200, { 'Content-Encoding': 'gzip, gzip' }).end(bomb);
      if (request.url === '/declared')
        return void response.writeHead(200, { 'Content-Length': 10 * RESPONSE_BYTES_MAX }).flushHeaders();
      response.on('error', () => {});
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384;
      };
      response.on('drain', more);
      more();
    });
    const { send } = egress();
    for (const path of ['bomb', 'endless', 'declared']) {
      expect(await codeOf(send(get(`http://api.test:${port}/${path}`))), path).to.equal('fetch-response-too-large');
    }
    expect(written).to.be.lessThan(50 * 1024 * 1024);
  });

  it('refuses answers with too many or too long headers, and encodings that nobody asked for', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/many') for (let at = 0; at < 150; at += 1) response.setHeader(`x-${at}`, 'a');
      if (request.url === '/long') response.setHeader('x', 'a'.repeat(60_000));
      if (request.url === '/zip') response.setHeader('content-encoding', 'compress');
      if (request.url === '/broken') response.setHeader('content-encoding', 'gzip');
      response.end('abc');
    });
    const { send } = egress();
    const codes = ['many', 'long', 'zip', 'broken'].map((path) => codeOf(send(get(`http://api.test:${port}/${path}`))));
    expect(await Promise.all(codes)).to.deep.equal([
      'fetch-response-too-large',
      'fetch-response-too-large',
      'fetch-failed',
      'fetch-failed',
    ]);
  });

  it('gives up on servers that never answer, or never end', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/slow') {
        const drip = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(drip));
      }
    });
    const { send } = egress();
    expect(await codeOf(send(get(`http://api.test:${port}/never`, { timeoutMs: 100 })))).to.equal('fetch-timeout');
    expect(await codeOf(send(get(`http://api.test:${port}/slow`, { timeoutMs: 200 })))).to.equal('fetch-timeout');
  });

  it('names neither addresses nor paths of the host when the network fails', async () => {
    const port = await serve((request) => request.socket.destroy());
    const error = await egress()
      .send(get(`http://api.test:${port}/`))
      .catch((refusal: EgressRefusal) => refusal);
    expect(error).to.include({ code: 'fetch-failed' });
    expect((error as EgressRefusal).message).to.match(/^The request failed on the network \([A-Z_]+\)\.$/);
    const unresolved = egress({ resolveHost: async () => [] });
    expect(await codeOf(unresolved.send(get('http://api.test/')))).to.equal('fetch-failed');
  });

  it('speaks https only unless the admin allows more, with a certificate for the very name', async () => {
    const { send } = egress({ allowHttp: false, ca: TEST_CERTIFICATE });
    expect(await codeOf(send(get('http://api.test/')))).to.equal('fetch-url-refused');
    const server = createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY }, (_request, response) =>
      response.end('safe'),
    );
    const port = await listen(server as unknown as Server);
    expect((await send(get(`https://api.test:${port}/`))).body.toString()).to.equal('safe');
    expect(await codeOf(send(get(`https://other.test:${port}/`)))).to.equal('fetch-failed');
    expect(await codeOf(egress({ allowHttp: false }).send(get(`https://api.test:${port}/`)))).to.equal('fetch-failed');
  });

  it('shares connections with nobody', async () => {
    const owners = new Map<unknown, Set<unknown>>();
    const port = await serve((request, response) => {
      const known = owners.get(request.socket) ?? new Set();
      owners.set(request.socket, known.add(request.headers['x-owner']));
      response.end();
    });
    const { send } = egress();
    for (const ownerId of ['a', 'a', 'b', 'a', 'b', 'a', 'b']) {
      await send(get(`http://api.test:${port}/`, { ownerId, headers: [['x-owner', ownerId]] }));
    }
    expect([...owners.values()].map(({ size }) => size)).to.not.include(2);
  });

  it('has so many requests of an owner under way, over all hosts; the others wait in order, each as part of its time', async () => {
    const open = new Map<string, ServerResponse>();
    const server = createServer((request, response) => {
      open.set(request.url!, response);
      server.emit('opened');
    });
    const port = await listen(server);
    const { send } = egress();
    const ask = (at: number | string, more: Partial<EgressRequest> = {}) =>
      send(get(`http://h${at}.test:${port}/${at}`, more));
    const first = Array.from({ length: FETCHES_AT_ONCE_MAX }, (_, at) => ask(at));
    const over = new AbortController();
    const late = [
      codeOf(ask('late', { timeoutMs: 50 })),
      codeOf(ask('over', { signal: over.signal })),
      codeOf(ask('last')),
    ];
    over.abort();
    expect(await late[0]).to.equal('fetch-timeout');
    expect(await late[1]).to.equal('fetch-failed');
    const other = ask('other', { ownerId: 'another' });
    while (open.size < FETCHES_AT_ONCE_MAX + 1) await once(server, 'opened');
    expect([...open.keys()])
      .to.include('/other')
      .and.not.include('/last');
    open.get('/7')!.end();
    await once(server, 'opened');
    for (const response of open.values()) response.end();
    expect(await late[2]).to.equal('answered');
    await Promise.all([...first, other]);
    expect([...open.keys()])
      .to.include('/last')
      .and.not.include.members(['/late', '/over']);
  });

  it('holds only so much of answers that do not end, and lets the owner pay who holds most of it', async () => {
    const port = await serve((request, response) => {
      const bytes = Number(request.url!.slice(1));
      response.writeHead(200, { 'Content-Length': bytes }).write(Buffer.alloc(bytes - 1));
      if (request.headers.host!.startsWith('modest')) response.end('.');
    });
    const { send } = egress({ heldBytesMax: 50_000 });
    const greedy = [21_000, 22_000, 23_000].map((bytes) =>
      send(get(`http://greedy.test:${port}/${bytes}`, { ownerId: 'greedy' })).catch(
        (refusal: EgressRefusal) => refusal,
      ),
    );
    expect(await Promise.race(greedy)).to.deep.include({ code: 'fetch-failed' });
    const modest = await send(get(`http://modest.test:${port}/10000`, { ownerId: 'modest' }));
    expect(modest.body).to.have.length(10_000);
  });
});
