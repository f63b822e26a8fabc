import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import os from 'node:os';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { type Attempt, attempt, BY_NODE } from './attempt.ts';

const FORKS = { native: ['EPERM', 'EACCES', 'EAGAIN'] };
/** Not there for this process, not by the filter, or not for this account. */
const SIGNALS = { shipped: ['EPERM', 'ESRCH'], native: ['EPERM', 'ESRCH'] };
const IDS = { shipped: ['EPERM', 'EINVAL'], native: ['EPERM', 'EINVAL'] };

const spawned = (command: string): void => {
  const { error } = childProcess.spawnSync(command);
  if (error) throw error;
};
const workerOf = (code: string, options: object): Promise<string> =>
  new Promise((resolve, reject) => {
    new Worker(code, { eval: true, ...options }).on('message', resolve).on('error', reject);
  });
const READ_PASSWD = `require('worker_threads').parentPort.postMessage(require('fs').readFileSync('/etc/passwd', 'utf8'))`;

export const PROGRAMS: Attempt[] = [
  attempt('starts a program', () => spawned('/bin/true'), FORKS),
  attempt(
    'starts a shell',
    () =>
      new Promise((resolve, reject) => {
        childProcess.exec('id', (error, stdout) => (error ? reject(error) : resolve(stdout)));
      }),
    FORKS,
  ),
  attempt(
    'forks itself',
    () =>
      new Promise((resolve, reject) => {
        childProcess.fork('x.js').on('error', reject).on('spawn', resolve);
      }),
    FORKS,
  ),
  attempt(
    'forks as a cluster',
    () =>
      new Promise((resolve, reject) => {
        cluster.setupPrimary({ exec: '/dev/null' });
        cluster.fork().on('error', reject).on('online', resolve);
      }),
    { shipped: [...BY_NODE, 'ERR_WORKER_UNSUPPORTED_OPERATION'], native: ['EPERM', 'EACCES', 'EAGAIN', 'NO_CLUSTER'] },
  ),
  attempt('becomes another program', () => process.execve?.('/bin/true', ['true'], {}), { native: null }),
  attempt(
    'starts a thread with permissions of its own',
    () => workerOf(READ_PASSWD, { execArgv: ['--allow-fs-read=*'] }),
    { native: null },
  ),
  attempt('starts a thread that reads', () => workerOf(READ_PASSWD, { env: SHARE_ENV }), {
    native: ['ENOENT', 'EACCES'],
  }),
];

export const SIGNALLING: Attempt[] = [
  attempt('signals the host', ({ hostPid }) => process.kill(hostPid, 0), SIGNALS),
  attempt('signals a process of the same account', ({ otherPids }) => process.kill(otherPids.sameAccount, 0), SIGNALS),
  attempt('signals the database', ({ otherPids }) => process.kill(otherPids.otherAccount, 0), SIGNALS),
  attempt("signals the host's group", ({ hostPid }) => process.kill(-hostPid, 0), SIGNALS),
  attempt('signals everybody', () => process.kill(-1, 0), SIGNALS),
  attempt('signals the first process', () => process.kill(1, 0), SIGNALS),
  attempt(
    "opens the host's inspector",
    ({ hostPid }) => (process as unknown as { _debugProcess(pid: number): void })._debugProcess(hostPid),
    {
      shipped: ['EPERM', 'ESRCH', ...BY_NODE],
      native: ['EPERM', 'ESRCH'],
    },
  ),
  attempt('slows the host down', ({ hostPid }) => os.setPriority(hostPid, 19), {
    shipped: ['ERR_SYSTEM_ERROR', 'EPERM'],
    native: ['ERR_SYSTEM_ERROR', 'EPERM'],
  }),
];

export const ACCOUNTS: Attempt[] = [
  attempt('becomes root', () => process.setuid!(0), IDS),
  attempt('becomes root for a while', () => process.seteuid!(0), IDS),
  attempt('joins the group of root', () => process.setgid!(0), IDS),
  attempt('joins more groups', () => process.setgroups!([0]), IDS),
  attempt(
    'has an environment',
    () => {
      const names = Object.keys(process.env);
      if (names.length === 0) throw Object.assign(new Error('empty'), { code: 'EMPTY' });
      return names.join(' ');
    },
    { shipped: ['EMPTY'], native: ['EMPTY'] },
  ),
];
