import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { answered, type Served, sendRaw, serveFakes } from './fake-ports.ts';
import type { ServerSettings } from './server.ts';

const GET = 'GET /healthz HTTP/1.1\r\nHost: x\r\n';

describe('startServer', () => {
  const opened: Served[] = [];
  const serve = async (settings: Partial<ServerSettings> = {}) => {
    const served = await serveFakes(settings);
    opened.push(served);
    return served;
  };
  after(() => Promise.all(opened.map(({ http }) => http.close(0))));

  describe('limits', () => {
    it('answers malformed HTTP with a problem', async () => {
      const { port } = await serve();
      for (const text of [
        'nonsense\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
        `${GET}Bad Header: x\r\n\r\n`,
        `${GET}x: \0\r\n\r\n`,
      ]) {
        const answer = await sendRaw(port, text);
        expect(answer, text).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
        expect(answer).to.include('"code":"request-malformed"').and.to.include('application/problem+json');
      }
    });

    it('refuses requests whose length is ambiguous', async () => {
      const { port, fake } = await serve();
      const head = 'POST /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n';
      for (const lengths of [
        'Content-Length: 5\r\nContent-Length: 6',
        'Content-Length: 5\r\nTransfer-Encoding: chunked',
      ]) {
        expect(await sendRaw(port, `${head}${lengths}\r\n\r\nhello`), lengths).to.match(/^HTTP\/1\.1 400 /);
      }
      expect(fake.calls).to.deep.equal([]);
    });

    it('refuses headers that are too large or too many, rather than dropping some', async () => {
      const { port } = await serve({ headersMax: 10 });
      const large = await sendRaw(port, `${GET}X: ${'x'.repeat(20_000)}\r\n\r\n`);
      expect(large)
        .to.match(/^HTTP\/1\.1 431 /)
        .and.to.include('"code":"headers-too-large"');
      const line = 'X: y\r\n';
      expect(await sendRaw(port, `${GET}${line.repeat(9)}\r\n`)).to.match(/^HTTP\/1\.1 200 /);
      expect(await sendRaw(port, `${GET}${line.repeat(10)}\r\n`)).to.match(/^HTTP\/1\.1 431 /);
      expect(await sendRaw(port, `${GET}${line.repeat(50)}\r\n`)).to.match(/^HTTP\/1\.1 431 /);
    });

    it('does not hold an answer for ever that nobody reads', async () => {
      const { port, fake } = await serve({ idleTimeoutMs: 300 });
      const given = new Promise<AbortSignal>((resolve) => {
        fake.run = async ({ signal }) => {
          resolve(signal);
          return answered('x'.repeat(32 * 1024 * 1024));
        };
      });
      const socket = connect(port, '127.0.0.1').pause();
      socket.write('GET /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(await given, 'abort');
      socket.destroy();
    });

    it('does not wait for ever for headers', async () => {
      const { port } = await serve({ headersTimeoutMs: 200, requestTimeoutMs: 200 });
      const answer = await sendRaw(port, 'GET /healthz HTTP/1.1\r\nHost:');
      expect(answer)
        .to.match(/^HTTP\/1\.1 408 /)
        .and.to.include('"code":"request-timeout"');
    });

    it('cuts a client that goes on sending a body that was refused', async () => {
      const { port } = await serve();
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('POST /v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).to.match(/^HTTP\/1\.1 401 /);
      const sending = setInterval(() => socket.write('1\r\nx\r\n'), 20);
      await once(socket, 'close');
      clearInterval(sending);
    }).timeout(30_000);
  });

  it('rejects with the reason where the port is taken', async () => {
    const { port } = await serve();
    const failure = await serveFakes({ port } as Partial<ServerSettings>).catch((error) => error);
    expect(failure).to.include({ code: 'EADDRINUSE' });
  });

  describe('close', () => {
    it('lets a running request finish, and closes its connection afterwards', async () => {
      const { http, origin, fake } = await serve();
      let finish: (() => void) | undefined;
      const started = new Promise<void>((resolve) => {
        fake.run = () =>
          new Promise((done) => {
            finish = () => done(answered('finished'));
            resolve();
          });
      });
      const response = fetch(`${origin}/run/acme/shop/`);
      await started;
      const closed = http.close(30_000);
      finish!();
      expect(await (await response).text()).to.equal('finished');
      await closed;
      expect(await fetch(origin).catch(() => 'refused')).to.equal('refused');
      // Less than the drain time: the connection must not wait for it.
    }).timeout(20_000);

    it('cuts what does not finish in time', async () => {
      const { http, origin, fake } = await serve();
      const started = new Promise<void>((resolve) => {
        fake.run = () => new Promise(() => resolve());
      });
      const response = fetch(`${origin}/run/acme/shop/`).catch(() => 'cut');
      await started;
      await http.close(50);
      expect(await response).to.equal('cut');
    });

    it('refuses requests that arrive on an open connection meanwhile', async () => {
      const { http, port, fake } = await serve();
      let finish: (() => void) | undefined;
      const started = new Promise<void>((resolve) => {
        fake.run = () =>
          new Promise((done) => {
            finish = () => done(answered('finished'));
            resolve();
          });
      });
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.write('GET /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n\r\n');
      await started;
      const closed = http.close(30_000);
      socket.write(`${GET}\r\n`);
      // The second request is parsed while the first one runs; its refusal waits for its turn.
      await new Promise((resolve) => setTimeout(resolve, 100));
      finish!();
      await closed;
      await once(socket, 'close');
      expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200', 'HTTP/1.1 503']);
      expect(text).to.include('"code":"host-shutting-down"').and.to.include('Retry-After: 5');
    });

    it('can be asked for twice', async () => {
      const { http } = await serve();
      await Promise.all([http.close(10), http.close(10)]);
      await http.close(10);
    });
  });
});
