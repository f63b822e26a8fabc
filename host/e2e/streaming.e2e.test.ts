import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
const encoder = new TextEncoder();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export default definePlugin({
  routes: {
    'GET /events': (request, ctx) => {
      let count = 0;
      return new Response(new ReadableStream({
        async pull(controller) {
          if (count === 3) return controller.close();
          while (count > ((await ctx.kv.get('seen'))?.value ?? 0)) await pause(50);
          count += 1;
          controller.enqueue(encoder.encode('data: ' + count + '\\n\\n'));
        },
      }), { headers: { 'content-type': 'text/event-stream' } });
    },
    'GET /slow': () => {
      let count = 0;
      return new Response(new ReadableStream({
        async pull(controller) {
          if (count === 20) return controller.close();
          await pause(100);
          count += 1;
          controller.enqueue(encoder.encode(count + ';'));
        },
      }));
    },
    'GET /endless': () => new Response(new ReadableStream({
      pull(controller) { controller.enqueue(new Uint8Array(64 * 1024)) },
    })),
    'GET /broken': () => {
      let count = 0;
      return new Response(new ReadableStream({
        pull(controller) {
          count += 1;
          if (count === 3) throw new RangeError('dry');
          controller.enqueue(encoder.encode('piece ' + count));
        },
      }));
    },
    'GET /dry': () => new Response(new ReadableStream({ pull() { throw new RangeError('dry') } })),
    'POST /sum': async (request) => {
      let [bytes, sum] = [0, 0];
      for await (const piece of request.body) { bytes += piece.length; for (const each of piece) sum = (sum + each) % 65536; }
      return { bytes, sum };
    },
    'POST /echo': (request) => new Response(request.body.pipeThrough(new TransformStream())),
    'POST /early': () => ({ read: false }),
  },
});
`;
const STREAMED = ['POST /sum', 'POST /echo', 'POST /early'];

describe('streaming', () => {
  let platform: TestPlatform;
  let installation: Installation;
  let base: string;
  before(async () => {
    platform = await startTestPlatform();
    const { routes } = callerRoutes('GET /events', 'GET /slow', 'GET /endless', 'GET /broken', 'GET /dry', ...STREAMED);
    const manifest = {
      routes: routes!.map((route) => (route.method === 'POST' ? { ...route, body: 'stream' as const } : route)),
      capabilities: [KV],
      limits: { outputBytes: 1024 * 1024, inputBytes: 512 * 1024, hostCalls: 1_000, timers: 1_000 },
    };
    installation = await platform.install({ source: SOURCE, manifest });
    base = `${platform.host.url}/run/arcade-one/${installation.slug}`;
  });
  after(() => platform.close());

  const call = (path: string, init: RequestInit & { duplex?: 'half' } = {}) =>
    fetch(base + path, { ...init, headers: { authorization: `Bearer ${platform.credentials.caller}` } });

  it('hands out server-sent events when they happen', async () => {
    const response = await call('/events');
    expect(response.headers.get('content-type')).to.equal('text/event-stream');
    expect(response.headers.get('x-gatehouse-invocation')).to.match(/^[0-9a-f-]{36}$/);
    const seen: string[] = [];
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream() as never)) {
      seen.push(piece as unknown as string);
      // The next one is made when this one is here.
      await platform.database
        .knex('kv_entries')
        .insert({ installation_id: installation.id, key: 'seen', value: String(seen.length), version: 1 })
        .onConflict(['installation_id', 'key'])
        .merge();
    }
    expect(seen).to.deep.equal(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
  });

  it('ends a stream at the limit of the answer, and cuts the connection', async () => {
    const response = await call('/endless');
    expect(response.status).to.equal(200);
    let bytes = 0;
    let failure: unknown = null;
    try {
      for await (const piece of response.body!) bytes += piece.length;
    } catch (error) {
      failure = error;
    }
    expect(failure).to.be.an('error');
    expect(bytes).to.be.at.most(1024 * 1024);
  });

  it('cuts the connection where a stream fails half-way, and answers with the fault where it fails before', async () => {
    const broken = await call('/broken');
    expect(broken.status).to.equal(200);
    expect(await broken.text().catch(() => 'cut')).to.equal('cut');
    const dry = await call('/dry');
    expect(dry.status).to.equal(502);
    expect(((await dry.json()) as { code: string }).code).to.equal('plugin-threw');
  });

  it('reads the body of a request piece by piece, and no more than it may have', async () => {
    const body = Buffer.alloc(300_000, 7);
    const whole = await call('/sum', { method: 'POST', body });
    expect(await whole.json()).to.deep.equal({ bytes: 300_000, sum: (300_000 * 7) % 65_536 });
    const declared = await call('/sum', { method: 'POST', body: Buffer.alloc(600_000) });
    expect(declared.status).to.equal(413);
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < 10; at++) controller.enqueue(new Uint8Array(60_000));
        controller.close();
      },
    });
    const undeclared = await call('/sum', { method: 'POST', body: pieces, duplex: 'half' });
    expect(undeclared.status).to.equal(502);
    expect(((await undeclared.json()) as { detail: string }).detail).to.be.a('string');
  });

  it('sends back what is still coming in', async () => {
    const response = await call('/echo', { method: 'POST', body: Buffer.from('round trip '.repeat(10_000)) });
    expect(await response.text()).to.equal('round trip '.repeat(10_000));
  });

  it('answers without reading a body that nobody asked for', async () => {
    const response = await call('/early', { method: 'POST', body: Buffer.alloc(400_000) });
    expect(await response.json()).to.deep.equal({ read: false });
  });

  it('ends the invocation when its client goes away', async () => {
    const { hostname, port, pathname } = new URL(`${base}/endless`);
    const socket = connect(Number(port), hostname);
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.credentials.caller}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
    // Back-pressure held it; now its slot is free, else the next call would wait.
    const response = await call('/early', { method: 'POST' });
    expect(response.status).to.equal(200);
  });

  it('goes on after every sandbox process has died, and sends no piece twice', async () => {
    const response = await call('/slow');
    const pids = platform.host.sandbox.status().cordons.map(({ pid }) => pid);
    let seen = '';
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream() as never)) {
      if (seen === '') for (const pid of pids) process.kill(pid, 'SIGKILL');
      seen += piece as unknown as string;
    }
    expect(seen).to.equal(Array.from({ length: 20 }, (_, at) => `${at + 1};`).join(''));
    // The system tells of the end of a process when it finds the time.
    while (platform.host.sandbox.status().cordonDeaths < pids.length)
      await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('refuses WebSockets by name', async () => {
    const { hostname, port, pathname } = new URL(`${base}/events`);
    const socket = connect(Number(port), hostname);
    socket.end(
      `GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    const answer = await text(socket);
    expect(answer).to.match(/^HTTP\/1\.1 501 /);
    expect(answer).to.include('upgrade-unsupported');
  });
});
