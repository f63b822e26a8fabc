import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { openSmtp } from './send-by-smtp.ts';

/** A server of mail that takes everything, over a real socket. */
async function startServer() {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let inText = false;
    socket.write('220 mail.example ESMTP\r\n');
    let rest = '';
    socket.on('data', (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        heard.push(line);
        if (inText && line !== '.') continue;
        if (line === 'DATA') {
          inText = true;
          socket.write('354 go on\r\n');
        } else {
          inText = false;
          socket.write(line === 'STARTTLS' ? '454 not here\r\n' : '250 ok\r\n');
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { heard, port, close };
}

describe('openSmtp', () => {
  it('sends text to one receiver, whatever subject and address hold', async () => {
    const { heard, port, close } = await startServer();
    const { send, close: end } = openSmtp(`smtp://127.0.0.1:${port}`, 'Gatehouse <gate@example.com>');
    const mail = { id: 'mail-1', createdAt: '', sentAt: null };
    await send({
      ...mail,
      to: 'ada@example.com',
      subject: 'Hi\r\nBcc: eve@example.com',
      text: 'One\n.\nRCPT TO:<x@y.z>',
    });
    // Two addresses in one are one address, which no server knows.
    await send({ ...mail, to: 'ada@example.com, eve@example.com', subject: 'x', text: 'x' }).catch(() => {});
    end();
    close();
    const receivers = heard.filter((line) => line.startsWith('RCPT TO') && !line.includes('x@y.z'));
    expect(receivers[0]).to.equal('RCPT TO:<ada@example.com>');
    expect(receivers.filter((line) => line === 'RCPT TO:<eve@example.com>')).to.deep.equal([]);
    expect(heard.filter((line) => /^Bcc:/i.test(line))).to.deep.equal([]);
    expect(heard).to.include('From: Gatehouse <gate@example.com>');
    expect(heard.join('\n')).to.include('Message-ID: <mail-1@gatehouse>');
    expect(heard).to.include('..');
  });

  it('sends no password over a plain connection', async () => {
    const { heard, port, close } = await startServer();
    const { send, close: end } = openSmtp(`smtp://ada:hunter2@127.0.0.1:${port}`, 'x@example.com');
    const mail = { id: 'x', to: 'ada@example.com', subject: 'x', text: 'x', createdAt: '', sentAt: null };
    let refused = false;
    await send(mail).catch(() => {
      refused = true;
    });
    end();
    close();
    expect(refused).to.equal(true);
    expect(heard.join('\n')).not.to.match(/AUTH|aHVudGVyMg/);
  });
});
