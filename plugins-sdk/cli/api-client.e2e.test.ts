import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createApiClient, readPages } from './api-client.ts';
import { createTransport } from './api-transport.ts';
import { refusalOf } from './test-refusal.ts';

type Handler = (req: IncomingMessage, res: ServerResponse, count: number) => void;

/** A server of one handler, which learns how many requests there were. */
async function withServer<Result>(
  handle: Handler,
  use: (url: string, count: () => number) => Promise<Result>,
): Promise<Result> {
  let requests = 0;
  const server = createServer((req, res) => {
    requests += 1;
    handle(req, res, requests);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => requests);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const json = (res: ServerResponse, status: number, value: unknown, headers = {}) =>
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
const drop: Handler = (req) => req.socket.destroy();
const noPause = async () => {};

describe('createTransport', () => {
  it('repeats an idempotent call when the connection breaks', () =>
    withServer(
      (req, res, count) => (count < 3 ? drop(req, res, count) : json(res, 200, { ok: true })),
      async (url, count) => {
        const send = createTransport({ url, token: null, sleep: noPause });
        expect((await send({ method: 'GET', path: '/', idempotent: true })).status).to.equal(200);
        expect(count()).to.equal(3);
      },
    ));

  it('gives up after so many attempts', () =>
    withServer(drop, async (url, count) => {
      const send = createTransport({ url, token: null, sleep: noPause, attempts: 3 });
      expect((await refusalOf(send({ method: 'GET', path: '/', idempotent: true }))).code).to.equal('host-unreachable');
      expect(count()).to.equal(3);
    }));

  it('sends a call that is not idempotent exactly once', () =>
    withServer(drop, async (url, count) => {
      const send = createTransport({ url, token: null, sleep: noPause });
      expect((await refusalOf(send({ method: 'POST', path: '/', idempotent: false }))).code).to.equal(
        'host-unreachable',
      );
      expect(count()).to.equal(1);
    }));

  it('waits as long as Retry-After says, and no longer than five seconds', () =>
    withServer(
      (_req, res, count) =>
        count < 3 ? json(res, 503, {}, { 'retry-after': count === 1 ? '2' : '600' }) : json(res, 200, {}),
      async (url) => {
        const pauses: number[] = [];
        const send = createTransport({ url, token: null, sleep: async (ms) => void pauses.push(ms) });
        await send({ method: 'GET', path: '/', idempotent: true });
        expect(pauses).to.deep.equal([2_000, 5_000]);
      },
    ));

  it('answers with the last refusal when the host stays busy', () =>
    withServer(
      (_req, res) => json(res, 429, {}),
      async (url, count) => {
        const send = createTransport({ url, token: null, sleep: noPause, attempts: 2 });
        expect((await send({ method: 'GET', path: '/', idempotent: true })).status).to.equal(429);
        expect(count()).to.equal(2);
      },
    ));

  it('does not let a plugin that failed run again', () =>
    withServer(
      (_req, res) => json(res, 502, { type: '/problems/plugin-threw' }, { 'content-type': 'application/problem+json' }),
      async (url, count) => {
        const send = createTransport({ url, token: null, sleep: noPause });
        expect((await send({ method: 'POST', path: '/', idempotent: true })).status).to.equal(502);
        expect(count()).to.equal(1);
      },
    ));

  it('tries again when a proxy finds no host behind it', () =>
    withServer(
      (_req, res, count) => (count < 2 ? res.writeHead(502).end('<h1>Bad Gateway</h1>') : json(res, 200, {})),
      async (url) => {
        const send = createTransport({ url, token: null, sleep: noPause });
        expect((await send({ method: 'GET', path: '/', idempotent: true })).status).to.equal(200);
      },
    ));

  it('does not follow a redirect, so that no other host sees the token', () =>
    withServer(
      (_req, res) => res.writeHead(307, { location: '/elsewhere' }).end(),
      async (url, count) => {
        const send = createTransport({ url, token: 'secret' });
        expect((await send({ method: 'GET', path: '/', idempotent: true })).status).to.equal(307);
        expect(count()).to.equal(1);
      },
    ));

  it('says so when the host does not answer in time', () =>
    withServer(
      () => {},
      async (url) => {
        const send = createTransport({ url, token: null, timeoutMs: 50, attempts: 1 });
        const error = await refusalOf(send({ method: 'GET', path: '/', idempotent: true }));
        expect(error.code).to.equal('host-timeout');
        expect(error.message).to.contain('0.05 s');
      },
    ));

  it('asks whether the host is running when nothing listens', async () => {
    const url = await withServer(drop, async (each) => each);
    const send = createTransport({ url, token: null, sleep: noPause });
    const error = await refusalOf(send({ method: 'GET', path: '/', idempotent: true }));
    expect(error.code).to.equal('host-unreachable');
    expect(error.message).to.contain('Is the host running?').and.to.contain('npm start');
  });
});

describe('createApiClient', () => {
  it('sends the token as a bearer', () =>
    withServer(
      (req, res) => json(res, 200, { seen: req.headers.authorization }),
      async (url) => {
        expect(await createApiClient({ url, token: 'gh_1' }).whoami()).to.deep.equal({ seen: 'Bearer gh_1' });
      },
    ));

  it('turns a problem document into a refusal with its code, facts and request', () =>
    withServer(
      (_req, res) =>
        json(res, 422, {
          type: '/problems/config-invalid',
          title: 'T',
          status: 422,
          detail: 'The configuration does not fit.',
          instance: 'urn:request:r-9',
          faults: [{ pointer: '/skus', message: 'is required' }],
        }),
      async (url) => {
        const error = await refusalOf(createApiClient({ url, token: null }).whoami());
        expect(error).to.include({ code: 'config-invalid', status: 422, requestId: 'r-9' });
        expect(error.message).to.equal('The configuration does not fit.');
        expect(error.facts).to.deep.equal({ faults: [{ pointer: '/skus', message: 'is required' }] });
      },
    ));

  it('says so when what answers is no Gatehouse host', () =>
    withServer(
      (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>'),
      async (url) => {
        expect((await refusalOf(createApiClient({ url, token: null }).whoami())).code).to.equal('host-answer-invalid');
      },
    ));

  it('repeats an installation with the same id, and issues a token only once', () =>
    withServer(drop, async (url, count) => {
      const api = createApiClient({ url, token: null, sleep: noPause, attempts: 3 });
      await refusalOf(api.install({ id: 'i', plugin: 'a/b', slug: 's', grants: [] }));
      expect(count()).to.equal(3);
      await refusalOf(api.issueToken({ organisation: 'o', role: 'caller', label: 'l' }));
      expect(count()).to.equal(4);
    }));

  it('escapes what goes into a path', () =>
    withServer(
      (req, res) => json(res, 200, { url: req.url }),
      async (url) => {
        const api = createApiClient({ url, token: null });
        expect(await api.findInstallation('../tokens?x')).to.deep.equal({ url: '/v1/installations/..%2Ftokens%3Fx' });
        expect(await api.findRelease('acme/x', '1.0.0')).to.deep.equal({ url: '/v1/releases/acme/x/1.0.0' });
      },
    ));
});

describe('readPages', () => {
  const all = Array.from({ length: 250 }, (_, at) => at);
  const read = async ({ cursor = '0', limit = 50 }: { cursor?: string; limit?: number }) => {
    const to = Number(cursor) + limit;
    return { items: all.slice(Number(cursor), to), nextCursor: to < all.length ? String(to) : null };
  };
  it('reads on until the list ends', async () => {
    expect(await readPages(read)).to.deep.equal(all);
  });
  it('stops at the number asked for', async () => {
    expect(await readPages(read, 120)).to.deep.equal(all.slice(0, 120));
  });
});
