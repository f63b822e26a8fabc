import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { assertBareEnvironment, assertPermissions, dropPrivileges } from './privileges.ts';

/** Stands where cordon.ts stands, and tries what a plugin that has escaped from its isolate would try. */
const attempt = (act: () => unknown): string => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};
const reach = (port: number): Promise<string> =>
  new Promise((resolve) => {
    connect({ port, host: '127.0.0.1' })
      .on('connect', () => resolve('allowed'))
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)));
  });

async function tryAll() {
  const self = fileURLToPath(import.meta.url);
  return {
    ownCode: attempt(() => readFileSync(self)),
    readFile: attempt(() => readFileSync('/etc/passwd')),
    readFolder: attempt(() => readdirSync('/')),
    readOwnMemoryMap: attempt(() => readFileSync('/proc/self/maps')),
    writeFile: attempt(() => writeFileSync('/tmp/gatehouse-probe', 'x')),
    writeOwnCode: attempt(() => writeFileSync(self, 'x', { flag: 'a' })),
    startProcess: attempt(() => execFileSync('/bin/true')),
    connect: await reach(Number(process.argv[3])),
    listen: await new Promise<string>((resolve) => {
      const server = createServer().on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      resolve(attempt(() => server.listen(0, () => resolve('allowed'))));
    }),
    environment: Object.keys(process.env),
    ids: [process.getuid?.(), process.getgid?.(), ...(process.getgroups?.() ?? [])],
    becomeRoot: isMainThread ? attempt(() => process.setuid?.(0)) : 'ERR_WORKER_UNSUPPORTED_OPERATION',
  };
}

if (isMainThread) {
  assertBareEnvironment();
  assertPermissions();
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.once('message', () => {
    dropPrivileges();
    worker.once('message', async (thread: unknown) => {
      process.stderr.write(JSON.stringify({ main: await tryAll(), thread }), () =>
        process.kill(process.pid, 'SIGKILL'),
      );
    });
    worker.postMessage('go');
  });
} else {
  parentPort!.once('message', async () => parentPort!.postMessage(await tryAll()));
  parentPort!.postMessage('loaded');
}
