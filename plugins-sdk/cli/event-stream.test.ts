import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { CliError, ServerRefusal } from './errors.ts';
import { eventParser, followEvents } from './event-stream.ts';

describe('eventParser', () => {
  it('reads events however the text is cut', () => {
    const text = ': beat\n\nevent: line\nid: 1\ndata: {"a":\ndata: 1}\n\ndata:x\r\n\r\n\nevent: line\n\n';
    for (const size of [1, 2, 7, 1_000]) {
      const parse = eventParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parse(text.slice(at, at + size)));
      expect(events, String(size)).to.deep.equal([
        { id: '1', type: 'line', data: '{"a":\n1}' },
        { id: '1', type: 'message', data: 'x' },
      ]);
    }
  });
});

describe('followEvents', () => {
  /** Answers the first connection with the first function, and so on. */
  async function serve(answers: ((res: ServerResponse, lastEventId: string | undefined) => void)[]) {
    const server = createServer((req, res) =>
      answers.shift()!(res, req.headers['last-event-id'] as string | undefined),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    return { url, close };
  }
  const begin = (res: ServerResponse) => res.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (id: number) => `event: line\nid: ${id}\ndata: ${id}\n\n`;

  it('goes on after the last event where the host asks for it, where it is cut off, and where the host restarts', async () => {
    const last: unknown[] = [];
    const stop = new AbortController();
    const { url, close } = await serve([
      (res) => begin(res).end(`${event(1)}${event(2)}event: again\ndata: {}\n\n`),
      (res, id) => {
        last.push(id);
        begin(res).write(event(3), () => res.destroy());
      },
      (res, id) => {
        last.push(id);
        res
          .writeHead(503, { 'content-type': 'application/problem+json' })
          .end('{"type":"/problems/host-shutting-down"}');
      },
      (res, id) => {
        last.push(id);
        begin(res).write(event(4));
      },
    ]);
    const seen: string[] = [];
    try {
      const options = { url, token: 't', sleep: async () => {} };
      for await (const { data } of followEvents(options, { path: '/', signal: stop.signal })) {
        seen.push(data);
        if (data === '4') stop.abort();
      }
    } finally {
      close();
    }
    expect(seen).to.deep.equal(['1', '2', '3', '4']);
    expect(last).to.deep.equal(['2', '3', '3']);
  });

  it('refuses with what the host refuses, and where nobody is there', async () => {
    const { url, close } = await serve([
      (res) =>
        res
          .writeHead(404, { 'content-type': 'application/problem+json' })
          .end('{"type":"/problems/installation-unknown"}'),
      (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('hello'),
    ]);
    const codeOf = (at: string) =>
      followEvents({ url: at, token: null }, { path: '/', signal: new AbortController().signal })
        .next()
        .then(
          () => 'answered',
          (error: CliError | ServerRefusal) => error.code,
        );
    expect(await codeOf(url)).to.equal('installation-unknown');
    expect(await codeOf(url)).to.equal('host-answer-invalid');
    close();
    expect(await codeOf(url)).to.equal('host-unreachable');
  });
});
