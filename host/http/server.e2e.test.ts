import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { answered, type Served, sendRaw, serveFakes, tokenOf } from './fake-ports.ts';
import type { ServerOptions } from './server.ts';

const GET = 'GET /healthz HTTP/1.1\r\nHost: x\r\n';

/** When a socket is closed, however: `once` would reject where the cut is an error to it, which depends on what was under way. */
const closeOf = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve());
  });

describe('startServer', () => {
  const opened: Served[] = [];
  const serve = async (settings: Partial<ServerOptions> = {}) => {
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
      const aborted = new Promise<void>((resolve) => {
        fake.run = async ({ signal }) => {
          signal.addEventListener('abort', resolve);
          return answered('x'.repeat(32 * 1024 * 1024));
        };
      });
      const socket = connect(port, '127.0.0.1').pause();
      socket.write('GET /run/acme/shop/ HTTP/1.1\r\nHost: x\r\n\r\n');
      await aborted;
      socket.destroy();
    });

    it('does not wait for ever for headers', async () => {
      const { port } = await serve({ headersTimeoutMs: 200, requestTimeoutMs: 200 });
      const answer = await sendRaw(port, 'GET /healthz HTTP/1.1\r\nHost:');
      expect(answer)
        .to.match(/^HTTP\/1\.1 408 /)
        .and.to.include('"code":"request-timeout"');
    });

    it('refuses an address that is too long', async () => {
      const { port } = await serve();
      const answer = await sendRaw(port, `GET /${'x'.repeat(8_192)} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer)
        .to.match(/^HTTP\/1\.1 414 /)
        .and.to.include('"code":"target-too-long"');
      expect(await sendRaw(port, `GET /${'x'.repeat(8_191)} HTTP/1.1\r\nHost: x\r\n\r\n`)).to.match(/^HTTP\/1\.1 404 /);
    });

    it('takes an address with scheme and host as one without', async () => {
      const { port } = await serve();
      const targets = ['http://x', 'http://x/healthz', 'HTTPS://y:1/healthz?a', 'http://[::1]:1/run/acme/shop/'];
      for (const target of targets) {
        const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`, 50);
        expect(answer, target).to.match(/^HTTP\/1\.1 200 /);
      }
    });

    it('survives addresses in which parsers find no path, or one that is not there', async () => {
      const { port, fake } = await serve();
      const odd = ['http://', 'http:///x', 'http://a:b@x/healthz', 'http://x#/', 'a://', 'a://x/healthz'];
      for (const target of [...odd, '//a@#', '//]#]@;', '/\\#@%', '//a@b/healthz#', '/healthz#', '/run/acme/shop/#']) {
        const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`, 50);
        expect(answer, target)
          .to.match(/^HTTP\/1\.1 400 /)
          .and.to.include('"code":"request-malformed"');
      }
      expect(fake.calls).to.deep.equal([]);
    });

    it('refuses a cookie of 1 MB and ten thousand headers after the first 16 KiB of them', async () => {
      const { port, fake } = await serve();
      const floods = { cookie: `Cookie: a=${'x'.repeat(1_000_000)}`, headers: 'X: y\r\n'.repeat(10_000) };
      for (const [name, flood] of Object.entries(floods)) {
        expect(await sendRaw(port, `${GET}${flood}\r\n\r\n`), name).to.match(/^HTTP\/1\.1 431 /);
      }
      expect(fake.calls).to.deep.equal([]);
    });

    it('answers 408 to clients that trickle headers, send half a body, or say nothing, and lets go of them', async () => {
      const { port, fake } = await serve({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
      const head = `POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('publisher')}\r\n`;
      const slow = {
        trickle: `${head}X-Slow: `,
        body: `${head}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"label":`,
        silence: '',
      };
      const ends = Object.entries(slow).map(async ([name, text]) => {
        // Half-open on purpose: such a client does not close its side because the server did.
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        if (text) socket.write(text);
        const drip = setInterval(() => name === 'trickle' && socket.write('x'), 20);
        await new Promise((resolve) => {
          socket.once('end', resolve);
          socket.once('close', resolve);
        });
        clearInterval(drip);
        return [name, answer] as const;
      });
      for (const [name, answer] of await Promise.all(ends)) {
        expect(answer, name)
          .to.match(/^HTTP\/1\.1 408 /)
          .and.to.include('"code":"request-timeout"');
      }
      expect(fake.calls).to.deep.equal([]);
    }).timeout(30_000);

    it('does not wait for a client that was answered and does not close', async () => {
      const { port } = await serve();
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const failed = new Promise((resolve) => socket.once('error', resolve));
      socket.write('nonsense\r\n\r\n');
      socket.resume();
      const writing = setInterval(() => socket.writable && socket.write('more\r\n'), 50);
      // Writing to a connection that the server has let go of is an error.
      await failed;
      clearInterval(writing);
    }).timeout(30_000);

    it('cuts the connections of one client above its share, and no others', async () => {
      let refused = 0;
      const { port, origin } = await serve({
        connectionsPerAddressMax: 3,
        onConnectionRefused: () => {
          refused += 1;
        },
      });
      const held = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'));
      await Promise.all(held.map((socket) => once(socket, 'connect')));
      for (let tries = 0; tries < 3; tries++) expect(await sendRaw(port, `${GET}\r\n`)).to.equal('');
      expect(refused).to.equal(3);
      const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      other.write(`${GET}\r\n`);
      expect(String((await once(other, 'data'))[0])).to.match(/^HTTP\/1\.1 200 /);
      other.destroy();
      held[0]!.destroy();
      let answer = '';
      while (answer === '') answer = await sendRaw(port, `${GET}\r\n`);
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
      for (const socket of held) socket.destroy();
      expect(origin).to.include(String(port));
    }).timeout(30_000);

    it('takes no more connections in all than it may', async () => {
      const { port } = await serve({ connectionsMax: 2, isProxy: () => true });
      const held = Array.from({ length: 2 }, () => connect(port, '127.0.0.1'));
      await Promise.all(held.map((socket) => once(socket, 'connect')));
      expect(await sendRaw(port, `${GET}\r\n`)).to.equal('');
      for (const socket of held) socket.destroy();
      let answer = '';
      while (answer === '') answer = await sendRaw(port, `${GET}\r\n`);
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
    }).timeout(30_000);

    it('does not count the connections of proxies', async () => {
      const { port } = await serve({ connectionsPerAddressMax: 1, isProxy: (address) => address === '127.0.0.1' });
      const held = Array.from({ length: 5 }, () => connect(port, '127.0.0.1'));
      await Promise.all(held.map((socket) => once(socket, 'connect')));
      expect(await sendRaw(port, `${GET}\r\n`)).to.match(/^HTTP\/1\.1 200 /);
      for (const socket of held) socket.destroy();
    });

    it('cuts a client that goes on sending a body that was refused', async () => {
      const { port } = await serve();
      const socket = connect(port, '127.0.0.1');
      const cut = closeOf(socket);
      socket.write('POST /v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).to.match(/^HTTP\/1\.1 401 /);
      const sending = setInterval(() => socket.write('1\r\nx\r\n'), 20);
      await cut;
      clearInterval(sending);
    }).timeout(30_000);
  });

  it('rejects with the reason where the port is taken', async () => {
    const { port } = await serve();
    const failure = await serveFakes({ port }).catch((error) => error);
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
      const ended = closeOf(socket);
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
      // Whatever arrived while this process was stopped is read before these are over.
      for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      finish!();
      await closed;
      await ended;
      expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200', 'HTTP/1.1 503']);
      expect(text).to.include('"code":"host-shutting-down"').and.to.include('Retry-After: 5');
    });

    it('answers what still arrives on open connections where others listen on its port, and closes them with that', async () => {
      const { http, port } = await serve({ answersWhileClosing: true });
      const socket = connect(port, '127.0.0.1');
      const ended = closeOf(socket);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.write(`${GET}\r\n`);
      await once(socket, 'data');
      const closed = http.close(30_000);
      socket.write(`${GET}\r\n${GET}\r\n`);
      await ended;
      await closed;
      // The third came behind the last answer: its sender learns from `Connection: close` to send it elsewhere.
      expect(text.match(/HTTP\/1\.1 \d+|Connection: [-a-z]+/g)).to.deep.equal([
        'HTTP/1.1 200',
        'Connection: keep-alive',
        'HTTP/1.1 200',
        'Connection: close',
      ]);
    });

    it('can be asked for twice', async () => {
      const { http } = await serve();
      await Promise.all([http.close(10), http.close(10)]);
      await http.close(10);
    });
  });
});
