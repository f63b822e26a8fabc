import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ID, type Served, sendRaw, serveFakes, tokenOf } from './fake-ports.ts';

const MiB = 1024 * 1024;
const organisation = { id: ID, slug: 'acme', kind: 'operator', name: 'Acme' };

describe('the control plane', () => {
  let served: Served;
  before(async () => {
    served = await serveFakes();
  });
  after(() => served.http.close(0));
  beforeEach(() => {
    served.fake.failure.thrown = undefined;
    served.fake.calls.length = 0;
    served.fake.lines.length = 0;
  });

  const send = async (body: RequestInit['body'], headers: Record<string, string> = {}, path = '/v1/organisations') => {
    const streamed = body instanceof ReadableStream ? { duplex: 'half' } : {};
    const response = await served.as('admin', path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      ...streamed,
    } as RequestInit);
    const problem = (await response.json()) as { code?: string; detail?: string; faults?: { pointer: string }[] };
    return { status: response.status, ...problem };
  };
  const stillAnswers = async () => expect((await send(JSON.stringify(organisation))).status).to.equal(201);
  afterEach(stillAnswers);

  describe('bodies', () => {
    it('takes JSON and hands it to the handler', async () => {
      expect((await send(JSON.stringify(organisation))).status).to.equal(201);
      expect(served.fake.calls[0]!.slice(0, 2)).to.deep.equal(['createOrganisation', organisation]);
    });

    it('refuses one that is declared too large, without reading it', async () => {
      const answer = await send('x'.repeat(256 * 1024 + 1));
      expect(answer).to.include({ status: 413, code: 'body-too-large' });
    });

    it('refuses one that turns out too large in chunks', async () => {
      const chunk = new Uint8Array(64 * 1024).fill(32);
      let sent = 0;
      const body = new ReadableStream({
        pull: (stream) => (sent++ < 8 ? stream.enqueue(chunk) : stream.close()),
      });
      expect(await send(body)).to.include({ status: 413, code: 'body-too-large' });
    });

    it('takes a release of several MiB, and refuses one over its limit', async () => {
      const publish = (archive: string) =>
        served.as('publisher', '/v1/releases', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            archive,
            envelope: { payloadType: 'x', payload: 'e30=', signatures: [{ keyid: 'a'.repeat(64), sig: 'AAAA' }] },
          }),
        });
      expect((await publish('A'.repeat(4 * MiB))).status).to.equal(201);
      expect((await publish('A'.repeat(6 * MiB))).status).to.equal(422);
      expect((await publish('A'.repeat(9 * MiB))).status).to.equal(413);
    });

    it('refuses deep nesting before it is parsed', async () => {
      expect(await send('['.repeat(100_000))).to.include({ status: 400, code: 'body-malformed' });
    });

    it('refuses invalid UTF-8', async () => {
      const bytes = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
      expect((await send(bytes)).detail).to.equal('The body is not well-formed UTF-8.');
    });

    it('refuses compressed bodies, bombs included', async () => {
      const bomb = gzipSync(Buffer.alloc(10 * MiB));
      const answer = await send(bomb, { 'content-encoding': 'gzip' });
      expect(answer).to.include({ status: 415, code: 'content-type-unsupported' });
    });

    it('refuses other content types and none', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        expect(await send('{}', { 'content-type': type })).to.include({
          status: 415,
          code: 'content-type-unsupported',
        });
      }
    });

    it('says that an empty body is empty', async () => {
      expect((await send(undefined)).detail).to.equal('The body is empty; send a JSON document.');
    });

    it('refuses __proto__ and members given twice', async () => {
      expect((await send('{"__proto__":{"kind":"platform"}}')).code).to.equal('body-malformed');
      expect((await send('{"kind":"operator","kind":"platform"}')).code).to.equal('body-malformed');
    });

    it('names only the first fault of a large body, so that faults cannot be multiplied', async () => {
      const answer = await send(
        JSON.stringify(Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`member-${at}`, 0]))),
      );
      expect(answer.status).to.equal(422);
      expect(answer.faults).to.have.length(1);
    });

    it('names at most fifty faults of a small one', async () => {
      const answer = await send(
        JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`m${at}`, 0]))),
      );
      expect(answer.faults).to.have.length(50);
    });

    it('is not asked for before the sender is known', async () => {
      const head =
        'POST /v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n';
      const refused = await sendRaw(served.port, `${head}Expect: 100-continue\r\n\r\n`);
      expect(refused)
        .to.match(/^HTTP\/1\.1 401 /)
        .and.to.match(/\r\nConnection: close\r\n/);
      const asked = await sendRaw(
        served.port,
        `${head}Authorization: Bearer ${tokenOf('admin')}\r\nExpect: 100-continue\r\n\r\n`,
      );
      expect(asked).to.match(/^HTTP\/1\.1 100 Continue\r\n/);
    });

    it('leaves the connection usable after a refusal, when the rest of the body was read', async () => {
      const refused = 'POST /v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello';
      const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
      expect((await sendRaw(served.port, refused + next, 10_000)).match(/HTTP\/1\.1 \d+/g)).to.deep.equal([
        'HTTP/1.1 401',
        'HTTP/1.1 200',
      ]);
    });
  });

  describe('paths and methods', () => {
    it('refuses what is not there', async () => {
      for (const path of ['/nothing', '/v1', '/V1/whoami', '/v1/whoami/', '/v1//whoami', '/%2e%2e/etc/passwd', '/%']) {
        const response = await served.as('admin', path);
        expect(response.status, path).to.equal(404);
        expect(((await response.json()) as { code: string }).code).to.equal('route-unknown');
      }
    });

    it('refuses other methods and names those that are allowed', async () => {
      const response = await served.as('admin', '/v1/installations', { method: 'DELETE' });
      expect(response.status).to.equal(405);
      expect(response.headers.get('allow')).to.equal('GET, HEAD, OPTIONS, POST');
    });

    it('tells OPTIONS what is allowed', async () => {
      const response = await fetch(`${served.origin}/v1/keys`, { method: 'OPTIONS' });
      expect(response.status).to.equal(204);
      expect(response.headers.get('allow')).to.equal('GET, HEAD, OPTIONS, POST');
    });

    it('answers HEAD like GET, without a body', async () => {
      const [get, head] = await Promise.all([
        served.as('admin', '/v1/whoami'),
        served.as('admin', '/v1/whoami', { method: 'HEAD' }),
      ]);
      expect(head.status).to.equal(200);
      expect(head.headers.get('content-length')).to.equal(get.headers.get('content-length'));
      expect(await head.text()).to.equal('');
      expect((await fetch(`${served.origin}/v1/whoami`, { method: 'HEAD' })).status).to.equal(401);
    });
  });

  describe('headers', () => {
    it('protect every answer, problems included', async () => {
      for (const path of ['/', '/v1/whoami', '/nothing']) {
        const { headers } = await fetch(served.origin + path);
        expect(headers.get('content-security-policy')).to.include("frame-ancestors 'none'").and.not.include('unsafe');
        expect(headers.get('x-content-type-options')).to.equal('nosniff');
        expect(headers.get('referrer-policy')).to.equal('no-referrer');
        expect(headers.get('x-frame-options')).to.equal('DENY');
        expect(headers.get('strict-transport-security')).to.match(/^max-age=\d{8}/);
        expect(headers.get('cross-origin-opener-policy')).to.equal('same-origin');
        expect(headers.get('cross-origin-embedder-policy')).to.equal('require-corp');
        expect(headers.get('cross-origin-resource-policy')).to.equal('same-origin');
        expect(headers.get('permissions-policy')).to.include('camera=()');
        expect(headers.has('server')).to.equal(false);
        expect(headers.has('x-powered-by')).to.equal(false);
      }
    });

    it('keep private answers out of every cache', async () => {
      expect((await served.as('admin', '/v1/whoami')).headers.get('cache-control')).to.equal('no-store');
    });

    it('carry an id of our own, never the one that was sent', async () => {
      const { headers } = await fetch(`${served.origin}/healthz`, { headers: { 'x-request-id': 'mine' } });
      expect(headers.get('x-request-id')).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    });
  });

  describe('the log', () => {
    it('says who did what, and holds no token, query or body', async () => {
      await served.as('publisher', '/v1/releases?plugin=acme/secret-plan', { headers: { 'x-request-id': 'trace-1' } });
      await send(JSON.stringify({ ...organisation, name: 'secret-name' }));
      await stillAnswers();
      const [line] = served.fake.lines;
      expect(line!.facts).to.include({
        method: 'GET',
        route: '/v1/releases',
        status: 200,
        inboundRequestId: 'trace-1',
        address: '127.0.0.1',
        credentialId: ID,
        organisation: 'acme',
      });
      expect(JSON.stringify(served.fake.lines)).not.to.match(/token-of-|secret-/);
    });

    it('does not repeat an inbound id that could forge a line', async () => {
      await fetch(`${served.origin}/nothing`, { headers: { 'x-request-id': 'a b {"level":"error"}' } });
      await stillAnswers();
      expect(served.fake.lines[0]!.facts).not.to.have.property('inboundRequestId');
    });

    it('has the stack of a fault that the answer hides, under the same id', async () => {
      served.fake.failure.thrown = new TypeError('column "secret" does not exist');
      const response = await served.as('admin', '/v1/organisations/acme');
      served.fake.failure.thrown = undefined;
      const text = await response.text();
      expect(response.status).to.equal(500);
      expect(text).not.to.match(/secret|TypeError|\.ts/);
      const line = served.fake.lines.find(({ level }) => level === 'error')!;
      expect((line.facts.err as Error).stack).to.include('TypeError: column "secret"');
      expect(text).to.include(line.facts.requestId as string);
    });

    it('is not filled by probes', async () => {
      await fetch(`${served.origin}/healthz`);
      await stillAnswers();
      expect(served.fake.lines.find(({ facts }) => facts.route === '/healthz')!.level).to.equal('debug');
    });
  });

  it('tells what was opened for an answer to HEAD that nobody will read it', async () => {
    const { status } = await served.as('operator-owner', `/v1/installations/${ID}/tail`, { method: 'HEAD' });
    expect(status).to.equal(200);
    const signal = served.fake.calls.find(([name]) => name === 'tail')!.at(-1) as AbortSignal;
    if (!signal.aborted) await once(signal, 'abort');
  });

  it('tells a handler when the client has gone', async () => {
    let gone: (() => void) | undefined;
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const started = new Promise<void>((resolve) => {
      served.fake.ready = () => new Promise(() => resolve());
    });
    // The table was built with the port object, so the replaced port is the one that is called.
    const aborter = new AbortController();
    const request = fetch(`${served.origin}/readyz`, { signal: aborter.signal }).catch(() => gone!());
    await started;
    aborter.abort();
    await Promise.all([request, left]);
    await stillAnswers();
    while (!interrupted()) await new Promise((resolve) => setTimeout(resolve, 20));
    function interrupted() {
      return served.fake.lines.some(({ facts }) => facts.route === '/readyz' && facts.interrupted === true);
    }
  });
});
