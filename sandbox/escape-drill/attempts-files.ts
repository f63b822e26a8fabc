import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { type Attempt, attempt, BY_KERNEL, BY_NODE, Refusal } from './attempt.ts';

const PASSWD = '/etc/passwd';
const nonEmpty = (content: string | Buffer): string => {
  if (content.length === 0) throw new Refusal('EMPTY');
  return content.toString();
};
const procOf = (pid: number, name: string): string => nonEmpty(fs.readFileSync(`/proc/${pid}/${name}`));

export const READS: Attempt[] = [
  attempt('reads /etc/passwd', () => fs.readFileSync(PASSWD, 'utf8')),
  attempt('reads it by promise', () => readFile(PASSWD, 'utf8')),
  attempt('reads it as a stream', () => text(fs.createReadStream(PASSWD))),
  attempt('reads it by descriptor', () => fs.readSync(fs.openSync(PASSWD, 'r'), Buffer.alloc(10))),
  attempt('reads it by a path of bytes', () => fs.readFileSync(Buffer.from(PASSWD), 'utf8')),
  attempt('reads it by an address', () => fs.readFileSync(pathToFileURL(PASSWD), 'utf8')),
  attempt('reads it by a way through its own folder', ({ ownFile }) =>
    fs.readFileSync(`${dirname(ownFile)}${'/..'.repeat(20)}${PASSWD}`, 'utf8'),
  ),
  attempt('reads it as a blob', async () => (await fs.openAsBlob(PASSWD)).text()),
  attempt('copies it', ({ openFolder }) => fs.copyFileSync(PASSWD, join(openFolder, 'copy'))),
  attempt('reads it through a link', ({ openFolder }) => {
    fs.symlinkSync(PASSWD, join(openFolder, 'link'));
    return fs.readFileSync(join(openFolder, 'link'), 'utf8');
  }),
  attempt('reads it with another copy of fs', () => process.getBuiltinModule('fs').readFileSync(PASSWD, 'utf8')),
  attempt('reads it below fs', () => internalFs().open(PASSWD, 0, 0o666), {
    shipped: [...BY_NODE, 'ERR_INVALID_MODULE', 'NO_BINDING'],
    native: [...BY_KERNEL, 'ERR_INVALID_MODULE', 'NO_BINDING'],
  }),
  attempt('learns whether it is there', () => fs.statSync(PASSWD).size),
  attempt(
    'lists the root',
    () => {
      // A cordon's own code keeps its path, wherever the checkout lies.
      const own = [import.meta.dirname, process.execPath].map((path) => path.split('/')[1]);
      const foreign = fs.readdirSync('/').filter((name) => /^(home|root|var|tmp|run|srv|opt|boot|sys)$/.test(name));
      return nonEmpty(foreign.filter((name) => !own.includes(name)).join(' '));
    },
    { native: ['EMPTY'] },
  ),
  attempt("lists the host's folder", ({ openFolder }) => fs.readdirSync(openFolder)),
  attempt('lists it by a handle', ({ openFolder }) => fs.opendirSync(openFolder).readSync()?.name),
  attempt('watches it', ({ openFolder }) => fs.watch(openFolder).close(), { native: [...BY_KERNEL] }),
  attempt("reads the host's secret", ({ secretFile }) => fs.readFileSync(secretFile, 'utf8')),
  attempt('reads what everybody may read', ({ openFile }) => fs.readFileSync(openFile, 'utf8')),
  attempt('reads the checkout', ({ checkoutFile }) => fs.readFileSync(checkoutFile, 'utf8')),
  attempt('reads its own code once it has started', ({ ownFile }) => fs.readFileSync(ownFile, 'utf8'), {
    native: null,
  }),
  attempt('reads homes', () => fs.readdirSync('/home').concat(fs.readdirSync('/root'))),
  attempt('reads a disk', () => fs.readFileSync('/dev/vda')),
  attempt('reads the memory of the machine', () => fs.readFileSync('/dev/mem')),
  attempt('reads the log of the kernel', () => fs.openSync('/proc/kmsg', 'r')),
  attempt('reads settings of the kernel', () => fs.readdirSync('/proc/sys/kernel')),
];

export const PROC: Attempt[] = [
  attempt('reads its own environment from the system', () => nonEmpty(fs.readFileSync('/proc/self/environ')), {
    native: [...BY_KERNEL, 'EMPTY'],
  }),
  attempt("reads the host's environment", ({ hostPid }) => procOf(hostPid, 'environ')),
  attempt("reads the host's command line", ({ hostPid }) => procOf(hostPid, 'cmdline')),
  attempt("reads the host's memory map", ({ hostPid }) => procOf(hostPid, 'maps')),
  attempt("opens the host's memory", ({ hostPid }) => fs.openSync(`/proc/${hostPid}/mem`, 'r')),
  attempt("lists the host's descriptors", ({ hostPid }) => fs.readdirSync(`/proc/${hostPid}/fd`)),
  attempt("reads files through the host's root", ({ hostPid }) => fs.readFileSync(`/proc/${hostPid}/root${PASSWD}`)),
  attempt('reads files through the root of the first process', () => fs.readFileSync(`/proc/1/root${PASSWD}`)),
  attempt('reads the environment of the first process', () => procOf(1, 'environ')),
  attempt('reads the environment of a neighbour', ({ otherPids }) => procOf(otherPids.sameAccount, 'environ')),
  attempt('protects itself from the out-of-memory killer', () => fs.writeFileSync('/proc/self/oom_score_adj', '-1000')),
];

export const WRITES: Attempt[] = [
  attempt('writes where everybody may', ({ openFolder }) => fs.writeFileSync(join(openFolder, 'x'), 'x')),
  attempt(
    'writes by a stream',
    ({ openFolder }) =>
      new Promise((resolve, reject) => {
        fs.createWriteStream(join(openFolder, 'x')).on('error', reject).on('finish', resolve).end('x');
      }),
  ),
  attempt('writes to /tmp', () => fs.mkdtempSync('/tmp/drill-')),
  attempt('makes a folder', ({ openFolder }) => fs.mkdirSync(join(openFolder, 'folder'))),
  attempt('writes to shared memory', () => fs.writeFileSync('/dev/shm/drill', 'x')),
  attempt('changes its own code', ({ ownFile }) => fs.appendFileSync(ownFile, '// x')),
  attempt('removes its own code', ({ ownFile }) => fs.unlinkSync(ownFile)),
  attempt('renames its own code', ({ ownFile }) => fs.renameSync(ownFile, `${ownFile}.old`)),
  attempt('truncates what everybody may write', ({ openFile }) => fs.truncateSync(openFile)),
  attempt('makes what is open writable', ({ openFile }) => fs.chmodSync(openFile, 0o777)),
  attempt('gives it away', ({ openFile }) => fs.chownSync(openFile, 1, 1)),
  attempt('changes its times', ({ openFile }) => fs.utimesSync(openFile, 0, 0)),
  attempt('links it', ({ openFile, openFolder }) => fs.linkSync(openFile, join(openFolder, 'hard'))),
  attempt("overwrites the host's secret", ({ secretFile }) => fs.writeFileSync(secretFile, 'x')),
];

export const LOADERS: Attempt[] = [
  attempt("imports the host's script", ({ openScript }) => import(pathToFileURL(openScript).href), {
    shipped: [...BY_NODE, 'ERR_MODULE_NOT_FOUND'],
    native: [...BY_KERNEL, 'ERR_MODULE_NOT_FOUND'],
  }),
  attempt('requires a file', ({ openScript }) => createRequire(import.meta.url)(openScript.replace('.mjs', '.json')), {
    shipped: [...BY_NODE, 'MODULE_NOT_FOUND'],
    native: [...BY_KERNEL, 'MODULE_NOT_FOUND'],
  }),
  attempt('imports from the network', ({ tcpPort }) => import(`http://127.0.0.1:${tcpPort}/x.mjs`), {
    shipped: ['ERR_UNSUPPORTED_ESM_URL_SCHEME'],
    native: ['ERR_UNSUPPORTED_ESM_URL_SCHEME'],
  }),
  attempt('loads a native library', () => process.dlopen({ exports: {} }, 'libz.so.1'), {
    shipped: BY_NODE,
    native: null,
  }),
  attempt('loads the black box as a native library', () => process.dlopen({ exports: {} }, '/proc/self/fd/3'), {
    native: null,
  }),
];

/** The functions below `node:fs`; Node.js hands out fewer with each version. */
function internalFs(): { open(path: string, flags: number, mode: number): unknown } {
  const { binding } = process as unknown as { binding(name: string): { open?: unknown } };
  const bound = binding('fs');
  if (typeof bound.open !== 'function') throw new Refusal('NO_BINDING');
  return bound as { open(path: string, flags: number, mode: number): unknown };
}
