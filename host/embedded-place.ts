import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Account,
  canReach,
  EmbeddedPostgresFailed,
  installedBinaries,
  runnableBinaries,
} from './embedded-binaries.ts';

/**
 * As root, PostgreSQL runs under a number that nothing else uses: cordons are `nobody`, and code that broke out of one
 * must neither read the database's files nor signal its server. Only initdb insists on an account with a name.
 */
const SERVER_ACCOUNT: Account = { uid: 65_533, gid: 65_533 };
const NAMED_ACCOUNT: Account = process.platform === 'linux' ? { uid: 65_534, gid: 65_534 } : { uid: 1, gid: 1 };
/** sun_path holds 108 bytes on Linux and 104 on macOS, and `/.s.PGSQL.5432` is 15 of them. */
const SOCKET_FOLDER_BYTES_MAX = 88;

/** Where one server lives, and as whom. */
export interface Place {
  folder: string;
  pgdata: string;
  logFile: string;
  socketFolder: string;
  binaries: string;
  /** Null: run as the current account. */
  account: Account | null;
  /** The account cannot enter the folders above `pgdata`. */
  closed: boolean;
}

/** Turns whatever went wrong into one sentence that says what to do. */
export function refuse(error: Error & { code?: string }, folder: string): never {
  if (error instanceof EmbeddedPostgresFailed) throw error;
  if (error.code === 'ENOSPC' || /no space left on device/i.test(error.message)) {
    throw new EmbeddedPostgresFailed(`The disk that holds ${folder} is full; free some space or pass --data.`);
  }
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM') {
    throw new EmbeddedPostgresFailed(`${folder} cannot be written (${error.code}); correct its owner or pass --data.`);
  }
  throw new EmbeddedPostgresFailed(`PostgreSQL cannot use ${folder}: ${error.message.replace(/[\s.]+$/, '')}.`);
}

/** Makes the folders and decides who runs what from where. Refuses with: EmbeddedPostgresFailed. */
export async function preparePlace(folder: string): Promise<Place> {
  const root = process.geteuid?.() === 0;
  await mkdir(folder, { recursive: true, mode: root ? 0o711 : 0o700 });
  const pgdata = join(folder, 'pgdata');
  const owner = await stat(pgdata).catch(() => null);
  // Data of an ordinary account stays that account's when root starts Gatehouse on it.
  const account = !root ? null : owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : SERVER_ACCOUNT;
  if (!root && owner && owner.uid !== process.geteuid?.()) {
    throw new EmbeddedPostgresFailed(
      `${pgdata} belongs to account ${owner.uid}; start Gatehouse as that account or as root, or pass --data.`,
    );
  }
  const closed = account !== null && !canReach(pgdata, account);
  if (closed && process.platform !== 'linux') {
    throw new EmbeddedPostgresFailed(`Only root can enter ${folder}; start as an ordinary account or pass --data.`);
  }
  return {
    folder,
    pgdata,
    logFile: join(folder, 'postgres.log'),
    socketFolder: await prepareSocketFolder(folder, account),
    binaries: await runnableBinaries(installedBinaries(), account, '/var/tmp'),
    account,
    closed,
  };
}

/**
 * `<folder>/socket` where its path is short enough and the server can enter it; else a folder below the temporary one,
 * remembered in `<folder>/socket-folder` so that a restart takes the same.
 */
async function prepareSocketFolder(folder: string, account: Account | null): Promise<string> {
  const uid = account?.uid ?? process.geteuid?.() ?? 0;
  const own = join(folder, 'socket');
  if (Buffer.byteLength(own) <= SOCKET_FOLDER_BYTES_MAX && (account === null || canReach(own, account))) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    await chmod(own, 0o700);
    if (account) await chown(own, account.uid, account.gid);
    return own;
  }
  const note = join(folder, 'socket-folder');
  const remembered = await readFile(note, 'utf8').catch(() => '');
  const found = remembered ? await lstat(remembered).catch(() => null) : null;
  if (found?.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return remembered;
  const base = [tmpdir(), '/tmp'].find(
    (each) => Buffer.byteLength(each) < 60 && (account === null || canReach(join(each, 'any'), account)),
  );
  const made = await mkdtemp(join(base ?? '/tmp', 'gatehouse-'));
  if (account) await chown(made, account.uid, account.gid);
  await writeFile(note, made);
  return made;
}

/**
 * How the server is told where its data is. A folder that it cannot enter by path is handed over as an open descriptor:
 * /proc/self/fd/3 leads into it without asking for the permissions of the folders above, in every process forked from it.
 */
export function dataArgument(place: Place, pgdata: string): { path: string; descriptors: number[] } {
  if (!place.closed) return { path: pgdata, descriptors: [] };
  return { path: '/proc/self/fd/3', descriptors: [openSync(pgdata, 'r')] };
}

/** Runs initdb in a folder of its own and renames it, so that an interrupted or doubled one is never taken for complete. */
export async function initialise(place: Place, durable: boolean): Promise<void> {
  await removeAbandoned(place.folder);
  const draft = join(place.folder, `initialising-${process.pid}`);
  await mkdir(draft, { mode: 0o700 });
  if (place.account) await chown(draft, NAMED_ACCOUNT.uid, NAMED_ACCOUNT.gid);
  const { path, descriptors } = dataArgument(place, draft);
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  // Trust: whoever can open the socket owns its folder or is root, and both could read the files anyway.
  const options = ['-U', 'postgres', '--auth=trust', ...(durable ? [] : ['--no-sync'])];
  try {
    const child = spawn(join(place.binaries, 'bin', 'initdb'), ['-D', path, ...options, ...locale], {
      ...(place.account ? NAMED_ACCOUNT : {}),
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      ...surroundings,
    });
    await succeeds(child);
    if (place.account) {
      const { uid, gid } = place.account;
      await succeeds(spawn('chown', ['-R', `${uid}:${gid}`, draft], { stdio: ['ignore', 'pipe', 'pipe'] }));
    }
    await rename(draft, place.pgdata).catch((error) => {
      if (!existsSync(join(place.pgdata, 'PG_VERSION'))) throw error;
    });
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    await rm(draft, { recursive: true, force: true });
  }
}

/** The server gets none of our environment, and a working folder that it can always enter. */
export const surroundings = { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^initialising-(\d+)$/.exec(name)?.[1]);
    if (pid && (pid === process.pid || !isAlive(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Whether a process has this number, of whatever account. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

async function succeeds(child: ChildProcess): Promise<void> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-8_000);
    });
  }
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status === 0) return;
  const reason = /(?:FATAL|PANIC|error):\s+(.*)/i.exec(said)?.[1] ?? said.trim().split('\n').at(-1);
  throw new Error(/no space left on device/i.test(said) ? 'No space left on device' : `initdb failed: ${reason}`);
}
