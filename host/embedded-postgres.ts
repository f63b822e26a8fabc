import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { connectOnce } from './database.ts';
import {
  type Account,
  canReach,
  EmbeddedPostgresFailed,
  installedBinaries,
  runnableBinaries,
} from './embedded-binaries.ts';

export { EmbeddedPostgresFailed } from './embedded-binaries.ts';

/**
 * As root, PostgreSQL runs under a number that nothing else uses: cordons are `nobody`, and code that broke out of one
 * must neither read the database's files nor signal its server. Only initdb insists on an account with a name.
 */
const SERVER_ACCOUNT: Account = { uid: 65_533, gid: 65_533 };
const NAMED_ACCOUNT: Account = process.platform === 'linux' ? { uid: 65_534, gid: 65_534 } : { uid: 1, gid: 1 };
/** sun_path holds 108 bytes on Linux and 104 on macOS, and `/.s.PGSQL.5432` is 15 of them. */
const SOCKET_FOLDER_BYTES_MAX = 88;
const LOCK_KEYS = [0x6761, 0x7465];
const START_DEADLINE_MS = 300_000;
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 15;

/** What an embedded server tells its owner; a pino logger fits. */
export interface EmbeddedPostgresLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface EmbeddedPostgres {
  /** Process id of the server. */
  pid: number;
  /** Database `gatehouse` as role gatehouse_app: rows only. */
  appUrl: string;
  /** Database `gatehouse` as role gatehouse_owner: owns the schema. */
  ownerUrl: string;
  urlOf(role: string, database: string): string;
  /** Fast shutdown: ends every connection, writes a checkpoint. Call it last. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Belongs to the server alone; made where it is missing. */
  folder: string;
  log?: EmbeddedPostgresLog;
  /** Called when the server ends although nobody asked it to. */
  onDeath?(message: string): void;
  /** False for throw-away data only: a power cut may destroy it. */
  durable?: boolean;
}

interface Place {
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

/**
 * Starts a real PostgreSQL in `folder`, on a Unix socket that only this account (and root) can reach, with database
 * `gatehouse` and its two roles. At most one Gatehouse owns a folder: the owner holds an advisory lock on the server, so
 * the lock ends with its holder, however that ends. A server left behind by a killed owner is shut down and started anew.
 * Refuses with: EmbeddedPostgresFailed (one sentence that says what to do).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, log, durable = true } = options;
  const place = await preparePlace(folder).catch((error) => refuse(error, folder));
  if (!existsSync(join(place.pgdata, 'PG_VERSION'))) await initialise(place, durable).catch((e) => refuse(e, folder));
  const deadlineMs = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadlineMs) {
    if (await stopLeftover(place, log)) continue;
    const server = await launch(place, durable, deadlineMs);
    if (server === null) {
      await pause();
      continue;
    }
    try {
      return await own(place, server, options);
    } catch (error) {
      await end(server.child);
      server.watchdog.kill('SIGKILL');
      refuse(error as Error, folder);
    }
  }
  throw new EmbeddedPostgresFailed(`PostgreSQL in ${folder} did not start in time; see ${place.logFile}.`);
}

const pause = (ms = POLL_MS) => new Promise((resolve) => setTimeout(resolve, ms));

function refuse(error: Error & { code?: string }, folder: string): never {
  if (error instanceof EmbeddedPostgresFailed) throw error;
  if (error.code === 'ENOSPC' || /no space left on device/i.test(error.message)) {
    throw new EmbeddedPostgresFailed(`The disk that holds ${folder} is full; free some space or pass --data.`);
  }
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM') {
    throw new EmbeddedPostgresFailed(`${folder} cannot be written (${error.code}); correct its owner or pass --data.`);
  }
  throw new EmbeddedPostgresFailed(`PostgreSQL cannot use ${folder}: ${error.message.replace(/[\s.]+$/, '')}.`);
}

async function preparePlace(folder: string): Promise<Place> {
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
function dataArgument(place: Place, pgdata: string): { path: string; descriptors: number[] } {
  if (!place.closed) return { path: pgdata, descriptors: [] };
  return { path: '/proc/self/fd/3', descriptors: [openSync(pgdata, 'r')] };
}

/** Runs initdb in a folder of its own and renames it, so that an interrupted or doubled one is never taken for complete. */
async function initialise(place: Place, durable: boolean): Promise<void> {
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
const surroundings = { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^initialising-(\d+)$/.exec(name)?.[1]);
    if (pid && (pid === process.pid || !isAlive(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
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

const urlOf = (socketFolder: string) => (role: string, database: string) =>
  `postgresql://${role}@/${database}?host=${encodeURIComponent(socketFolder)}`;

/**
 * Deals with a server that runs on the data already. True where it did something and the caller looks again.
 * Refuses where a living Gatehouse holds the lock. Lines of postmaster.pid: pid, data, start, port, socket folder, ...
 */
async function stopLeftover(place: Place, log: EmbeddedPostgresLog | undefined): Promise<boolean> {
  const lines = (await readFile(join(place.pgdata, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!pid || !isPostgres(pid)) return false;
  const client = await connectOnce(urlOf(lines[4] || place.socketFolder)('postgres', 'postgres'), hostName()).catch(
    () => null,
  );
  if (client === null) {
    await pause();
    return true;
  }
  try {
    const holder = await takeLock(client);
    if (holder !== null) {
      throw new EmbeddedPostgresFailed(
        `Another Gatehouse (pid ${holder}) is using ${place.folder}; stop it or pass --data.`,
      );
    }
    log?.warn({ pid }, 'shutting down a PostgreSQL that an earlier Gatehouse left behind');
    process.kill(pid, 'SIGINT');
    while (isPostgres(pid)) await pause();
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A pid file may outlive its process, and the number may have been given away since. */
function isPostgres(pid: number): boolean {
  if (process.platform !== 'linux') return isAlive(pid);
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return fields.includes('(postgres)') && !/\) [ZX] /.test(fields);
  } catch {
    return false;
  }
}

const hostName = () => `gatehouse-host-${process.pid}`;

/** Null where this connection holds the lock now; else the process id of the Gatehouse that does. */
async function takeLock(client: Client): Promise<string | null> {
  const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as locked', LOCK_KEYS);
  if (rows[0].locked) return null;
  const holders = await client.query(
    `select application_name as name from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and classid = $1 and objid = $2 and granted`,
    LOCK_KEYS,
  );
  return /^gatehouse-host-(\d+)$/.exec(holders.rows[0]?.name ?? '')?.[1] ?? 'unknown';
}

interface Server {
  child: ChildProcess;
  watchdog: ChildProcess;
  client: Client;
}

/** Null where somebody else's server was faster or took this one over: look again. */
async function launch(place: Place, durable: boolean, deadlineMs: number): Promise<Server | null> {
  if (existsSync(place.logFile)) await rename(place.logFile, `${place.logFile}.1`);
  const logFd = openSync(place.logFile, 'w', 0o600);
  const { path, descriptors } = dataArgument(place, place.pgdata);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: place.socketFolder,
    unix_socket_permissions: '0700',
    log_min_messages: 'warning',
    log_timezone: 'UTC',
    timezone: 'UTC',
    jit: 'off',
    ...(durable ? { fsync: 'on' } : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(place.binaries, 'bin', 'postgres'), ['-D', path, ...args], {
    ...(place.account ?? {}),
    stdio: ['ignore', logFd, logFd, ...descriptors],
    // A process group of its own: Ctrl-C in the terminal is for the host, which stops the database last.
    detached: true,
    ...surroundings,
  });
  closeSync(logFd);
  for (const descriptor of descriptors) closeSync(descriptor);
  const ended = new Promise<Error | null>((resolve) => {
    child.once('error', resolve).once('exit', () => resolve(null));
  });
  await new Promise((resolve) => child.once('spawn', resolve).once('error', resolve));
  if (child.pid === undefined) refuse((await ended) ?? new Error('cannot be started'), place.folder);
  const watchdog = watch(child.pid, place.account);
  const client = await firstConnection(place, child, deadlineMs);
  if (client !== null) return { child, watchdog, client };
  await end(child);
  watchdog.kill('SIGKILL');
  const said = await readFile(place.logFile, 'utf8').catch(() => '');
  if (/lock file "postmaster\.pid" already exists|received fast shutdown request/.test(said)) return null;
  if (/no space left on device/i.test(said)) refuse(new Error('No space left on device'), place.folder);
  const reason = /(?:FATAL|PANIC):\s+(.*)/.exec(said)?.[1] ?? `it ended; see ${place.logFile}`;
  refuse(new Error(reason), place.folder);
}

/**
 * Ends the server when the host is gone, however it went: a killed host closes its end of the pipe. The host itself
 * kills the watchdog first when the server has ended, so the number cannot have been given to another process.
 */
function watch(pid: number, account: Account | null): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r line; kill -INT "$1"', 'gatehouse-postgres-watchdog', `${pid}`], {
    ...(account ?? {}),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...surroundings,
  });
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void } | null)?.unref();
  return watchdog;
}

async function firstConnection(place: Place, child: ChildProcess, deadlineMs: number): Promise<Client | null> {
  const url = urlOf(place.socketFolder)('postgres', 'postgres');
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadlineMs) {
    try {
      return await connectOnce(url, hostName());
    } catch {
      await pause();
    }
  }
  return null;
}

/** Fast shutdown, then an immediate one, which the next start recovers from. Resolves when the process has ended. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    child.ref();
    child.once('exit', () => resolve());
  });
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}

/** Takes the lock, makes roles and database, and hands the running server over. */
async function own(place: Place, server: Server, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { child, watchdog, client } = server;
  const holder = await takeLock(client);
  if (holder !== null) {
    throw new EmbeddedPostgresFailed(
      `Another Gatehouse (pid ${holder}) is using ${place.folder}; stop it or pass --data.`,
    );
  }
  await createRolesAndDatabase(client);
  let stopping: Promise<void> | null = null;
  child.once('exit', (code, signal) => {
    watchdog.kill('SIGKILL');
    if (stopping === null) options.onDeath?.(`PostgreSQL ended (${signal ?? code}); see ${place.logFile}.`);
  });
  child.unref();
  (client as unknown as { unref(): void }).unref();
  options.log?.info({ pid: child.pid, folder: place.folder }, 'PostgreSQL is up');
  const url = urlOf(place.socketFolder);
  const stop = async () => {
    await end(child);
    await client.end().catch(() => {});
    const remembered = await readFile(join(place.folder, 'socket-folder'), 'utf8').catch(() => null);
    if (remembered === place.socketFolder && statSync(remembered, { throwIfNoEntry: false })) {
      await rm(remembered, { recursive: true, force: true });
    }
  };
  return {
    pid: child.pid as number,
    appUrl: url('gatehouse_app', 'gatehouse'),
    ownerUrl: url('gatehouse_owner', 'gatehouse'),
    urlOf: url,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

async function createRolesAndDatabase(client: Client): Promise<void> {
  const { rows } = await client.query(`select rolname as name from pg_roles union all select datname from pg_database`);
  const names = new Set(rows.map(({ name }) => name));
  for (const role of ['gatehouse_owner', 'gatehouse_app']) {
    if (!names.has(role)) await client.query(`create role ${role} login`);
  }
  if (names.has('gatehouse')) return;
  await client.query('create database gatehouse owner gatehouse_owner');
  await client.query('revoke all on database gatehouse from public');
  await client.query('grant connect on database gatehouse to gatehouse_app');
}
