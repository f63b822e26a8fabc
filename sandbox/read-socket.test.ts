import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import { expect } from 'chai';
import { readSocket } from './read-socket.ts';

const started = (code: string): { child: ChildProcess; socket: Duplex } => {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  return { child, socket: child.stdio[3] as Duplex };
};

describe('readSocket', () => {
  it('reads all that a process says into the same memory', async () => {
    const { child, socket } = started(
      `for (let at = 0; at < 50; at++) require('fs').writeSync(3, Buffer.alloc(40_000, at));`,
    );
    const chunks: Buffer[] = [];
    const buffers = new Set<ArrayBufferLike>();
    readSocket(socket, (bytes) => {
      buffers.add(bytes.buffer);
      chunks.push(Buffer.from(bytes));
    });
    await once(child, 'close');
    const expected = Array.from({ length: 50 }, (_, at) => Buffer.alloc(40_000, at));
    expect(Buffer.concat(chunks).equals(Buffer.concat(expected))).to.equal(true);
    expect(buffers.size).to.equal(1);
  });

  it('lets go of the descriptor when either end goes', async () => {
    const { child, socket } = started(`setInterval(() => {}, 1_000); require('fs').writeSync(3, 'x');`);
    const said = new Promise<string>((resolve) => readSocket(socket, (bytes) => resolve(bytes.toString())));
    expect(await said).to.equal('x');
    socket.destroy();
    child.kill();
    await once(child, 'close');
  });

  it('reads from streams that have no descriptor of their own', async () => {
    const stream = new PassThrough();
    const said = new Promise<string>((resolve) => readSocket(stream, (bytes) => resolve(bytes.toString())));
    stream.end('x');
    expect(await said).to.equal('x');
  });
});
