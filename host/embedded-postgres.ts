import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Client } from 'pg';
import { connectOnce } from './database.ts';
import { type Account, EmbeddedPostgresFailed } from './embedded-binaries.ts';
import { dataArgument, initialise, isAlive, type Place, preparePlace, refuse, surroundings } from './embedded-place.ts';

export { EmbeddedPostgresFailed } from './embedded-binaries.ts';

const LOCK_KEYS = [0x6761, 0x7465];
const START_DEADLINE_MS = 300_000;
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 15;
const RIVALS_MAX = 10;
/** How long the lock may be held before its holder counts as running. */
const LOCK_PATIENCE_MS = 1_000;

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

/**
 * Starts a real PostgreSQL in `folder`, on a Unix socket that only this account (and root) can reach, with database
 * `gatehouse` and its two roles. At most one Gatehouse owns a folder: the owner holds an advisory lock on the server, so
 * the lock ends with its holder, however that ends. A server left behind by a killed owner is shut down and started anew.
 * Refuses with: EmbeddedPostgresFailed (one sentence that says what to do).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true } = options;
  const folder = resolve(options.folder);
  const place = await preparePlace(folder).catch((error) => refuse(error, folder));
  if (!existsSync(join(place.pgdata, 'PG_VERSION'))) await initialise(place, durable).catch((e) => refuse(e, folder));
  const deadlineMs = Date.now() + START_DEADLINE_MS;
  const refuseAtMs = Date.now() + LOCK_PATIENCE_MS;
  let lost = 0;
  while (Date.now() < deadlineMs) {
    if (await stopLeftover(place, refuseAtMs, log)) continue;
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
      // A rival that connected before the lock was ours has taken this server for a leftover: look again.
      if (error instanceof EmbeddedPostgresFailed || ++lost > RIVALS_MAX) refuse(error as Error, folder);
      await pause();
    }
  }
  throw new EmbeddedPostgresFailed(`PostgreSQL in ${folder} did not start in time; see ${place.logFile}.`);
}

const pause = (ms = POLL_MS) => new Promise((resolve) => setTimeout(resolve, ms));

const urlOf = (socketFolder: string) => (role: string, database: string) =>
  `postgresql://${role}@/${database}?host=${encodeURIComponent(socketFolder)}`;

/**
 * Deals with a server that runs on the data already. True where it did something and the caller looks again.
 * Refuses where a living Gatehouse holds the lock. Lines of postmaster.pid: pid, data, start, port, socket folder, ...
 */
async function stopLeftover(place: Place, refuseAtMs: number, log: EmbeddedPostgresLog | undefined): Promise<boolean> {
  const pidFile = join(place.pgdata, 'postmaster.pid');
  const lines = await pidLines(place.pgdata);
  const pid = Number(lines[0]);
  if (!pid) return false;
  if (!runsOn(place.pgdata, pid)) {
    // PostgreSQL sees for itself that a process is gone, but refuses to start while any process of its account has the
    // number. Backends that outlived their postmaster are still found: by their shared memory.
    if (isAlive(pid)) await rm(pidFile, { force: true });
    return false;
  }
  const url = urlOf(lines[4] || place.socketFolder)('postgres', 'postgres');
  const client = await connectOnce(url, CLEARING).catch(() => null);
  if (client === null) {
    await pause();
    return true;
  }
  try {
    const holder = await takeLock(client);
    if (holder !== null) {
      // A host that was killed a moment ago holds the lock until the server has noticed.
      if (Date.now() < refuseAtMs) throw new Error('perhaps a dead host holds the lock');
      throw taken(holder, place);
    }
    log?.warn({ pid }, 'shutting down a PostgreSQL that an earlier Gatehouse left behind');
    process.kill(pid, 'SIGINT');
    while (runsOn(place.pgdata, pid)) await pause();
    return true;
  } catch (error) {
    if (error instanceof EmbeddedPostgresFailed) throw error;
    // The server ended while it was asked, or its owner is not known yet: look again.
    await pause();
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}

const pidLines = async (pgdata: string): Promise<string[]> =>
  (await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

/** Whether a server runs on the data now, whoever started it. */
async function isServed(pgdata: string): Promise<boolean> {
  const pid = Number((await pidLines(pgdata))[0]);
  return pid > 0 && runsOn(pgdata, pid);
}

/**
 * A pid file may outlive its process, and the number may belong to anybody since. A server always works inside its data
 * folder; where the system does not tell (not Linux), being alive has to do.
 */
function runsOn(pgdata: string, pid: number): boolean {
  if (process.platform !== 'linux') return isAlive(pid);
  try {
    const ended = /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return !ended && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(pgdata);
  } catch {
    return false;
  }
}

/** The names of connections: of one whose lock says who owns the folder, and of one that shuts down what nobody owns. */
const OWNER = `gatehouse-host-${process.pid}`;
const CLEARING = 'gatehouse-clearing';

/** Null where this connection holds the lock now; else the name of the one that does, empty where it just let go. */
async function takeLock(client: Client): Promise<string | null> {
  const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as locked', LOCK_KEYS);
  if (rows[0].locked) return null;
  const holders = await client.query(
    `select application_name as name from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and classid = $1 and objid = $2 and granted`,
    LOCK_KEYS,
  );
  return holders.rows[0]?.name ?? '';
}

/** Final where an owner holds the lock. Who only clears up does not own the folder, and may lose it to a third. */
function taken(holder: string, { folder }: Place): Error {
  const pid = /^gatehouse-host-(\d+)$/.exec(holder)?.[1];
  if (pid === undefined) return new Error('others that start on it at the same time shut it down; start one first');
  return new EmbeddedPostgresFailed(`Another Gatehouse (pid ${pid}) is using ${folder}; stop it or pass --data.`);
}

interface Server {
  child: ChildProcess;
  watchdog: ChildProcess;
  client: Client;
}

/** Null where somebody else's server was faster or took this one over: look again. */
async function launch(place: Place, durable: boolean, deadlineMs: number): Promise<Server | null> {
  // Somebody who starts at the same time may have renamed it already.
  await rename(place.logFile, `${place.logFile}.1`).catch(() => {});
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
  // The log may be that of a rival by now, so it is not the only witness.
  if (await isServed(place.pgdata)) return null;
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
      const client = await connectOnce(url, OWNER);
      // A rival's server answers at the same socket while ours is about to find out that it came second.
      if (Number((await pidLines(place.pgdata))[0]) === child.pid) return client;
      await client.end();
    } catch {}
    await pause();
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
  if (holder !== null) throw taken(holder, place);
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
    if (remembered === place.socketFolder) {
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
