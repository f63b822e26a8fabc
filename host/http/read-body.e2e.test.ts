import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import { HostRefusal } from '../errors.ts';
import { boundLeftover, openBody, readBody } from './read-body.ts';

const BYTES_MAX = 300_000;
const UPLOAD_BYTES = 16 * 1024 * 1024;
const LATE_MS = 50;

describe('Reading the body of a request', () => {
  let server: Server;
  let read: Promise<string>[] = [];
  /** What is done before anybody asks for the body, such as finding out who sent it. */
  let before: () => Promise<void> | null;
  beforeEach(async () => {
    read = [];
    before = () => null;
    server = createServer((req, res) => {
      const text = (async () => {
        const waits = before();
        if (waits !== null) await waits;
        return (await readBody(req, res, BYTES_MAX)).toString();
      })();
      const said = text.catch((error: unknown) => (error instanceof HostRefusal ? error.code : String(error)));
      read.push(said);
      said.then((answer) => res.end(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Sends each part when the server has had time to read the one before; returns what was read, request by request. */
  const send = (...parts: string[]) => sendAndEnd(parts, parts.join('').split('POST /').length - 1);
  /** Without waiting for answers, as a client that goes away. */
  const cutShort = (text: string) => sendAndEnd([text], 0);
  async function sendAndEnd(parts: string[], requests: number): Promise<string[]> {
    const expected = read.length + requests;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    // Not by `once`, which rejects where the server's end is an error to the client.
    const closed = new Promise((resolve) =>
      socket
        .on('error', () => {})
        .once('close', resolve)
        .resume(),
    );
    await once(socket, 'connect');
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    while (read.length < expected) await new Promise((resolve) => setTimeout(resolve, 5));
    if (requests > 0) await Promise.all(read);
    socket.end();
    await closed;
    return Promise.all(read);
  }
  const post = (headers: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
  const LENGTH_5 = 'Content-Length: 5';
  const CHUNKED = 'Transfer-Encoding: chunked';

  for (const [when, waitMs] of [
    ['at once', 0],
    ['late', LATE_MS],
  ] as const) {
    describe(`when it is asked for ${when}`, () => {
      beforeEach(() => {
        if (waitMs > 0) before = () => new Promise((resolve) => setTimeout(resolve, waitMs));
      });

      it('takes one that comes with its headers', async () => {
        expect(await send(post(LENGTH_5, 'hello'))).to.deep.equal(['hello']);
        expect(await send(post(CHUNKED, '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'))).to.deep.equal(['hello', 'hello']);
      });

      it('waits for one that comes behind them, whole or in pieces', async () => {
        expect(await send(post(LENGTH_5), 'hello')).to.deep.equal(['hello']);
        expect(await send(post(LENGTH_5, 'he'), 'l', 'lo')).to.deep.equal(['hello', 'hello']);
        expect(await send(post(CHUNKED, '3\r\nhel\r\n'), '2\r\nlo\r\n', '0\r\n\r\n'))
          .to.have.length(3)
          .and.include('hello');
      });

      it('reads as much as is said, of any size', async () => {
        for (const bytes of [16_384, 65_535, 65_536, 65_537, 100_000, 300_000]) {
          read = [];
          const [text] = await send(post(`Content-Length: ${bytes}`, 'x'.repeat(bytes)));
          expect(text!.length, `${bytes} bytes`).to.equal(bytes);
        }
      });

      it('takes the next request of the connection after it', async () => {
        const requests = [post(LENGTH_5, 'first'), post(LENGTH_5, 'later')];
        expect(await send(...requests)).to.deep.equal(['first', 'later']);
      });
    });
  }

  it('keeps those of several requests in one packet apart', async () => {
    expect(await send(post(LENGTH_5, 'first') + post(CHUNKED, '0\r\n\r\n') + post(LENGTH_5, 'third'))).to.deep.equal([
      'first',
      '',
      'third',
    ]);
  });

  it('refuses one that is too large, however it comes', async () => {
    const long = 'x'.repeat(BYTES_MAX + 1);
    const chunk = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
    for (const parts of [
      [post(`Content-Length: ${long.length}`, long)],
      [post(CHUNKED, chunk)],
      [post(CHUNKED), chunk],
    ]) {
      read = [];
      expect(await send(...parts), parts.join('|')).to.deep.equal(['body-too-large']);
    }
  });

  it('refuses one that is cut short', async () => {
    expect(await cutShort(post(LENGTH_5, 'hel'))).to.deep.equal(['body-malformed']);
    read = [];
    expect(await cutShort(post(CHUNKED, '5\r\nhel'))).to.deep.equal(['body-malformed']);
  });

  for (const pieces of [0, 1]) {
    it(`discards the rest of one that is answered after ${pieces} pieces, and keeps the connection`, async function () {
      // In vain, the rest would be waited for two seconds, and then the connection cut.
      this.timeout(30_000);
      server.removeAllListeners('request').on('request', async (req, res) => {
        const read = openBody(req, res, UPLOAD_BYTES);
        for (let piece = 0; read !== null && piece < pieces; piece++) await read();
        boundLeftover(req, res);
        res.end('answered');
      });
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
      let said = '';
      const answers = (count: number) =>
        new Promise<void>((resolve, reject) => {
          socket.once('error', reject).once('close', () => reject(new Error(`closed after: ${said}`)));
          const look = () => said.split('answered').length > count && resolve();
          socket.on('data', look);
          look();
        });
      socket.on('data', (text: string) => {
        said += text;
      });
      const first = answers(1);
      socket.write(post(`Content-Length: ${UPLOAD_BYTES}`, 'x'.repeat(100_000)));
      await first;
      const second = answers(2);
      // More than the buffers of both ends hold, so it is gone when the next request is answered.
      socket.write('x'.repeat(UPLOAD_BYTES - 100_000));
      socket.write(post(LENGTH_5, 'hello'));
      await second;
      socket.destroy();
    });
  }
});
