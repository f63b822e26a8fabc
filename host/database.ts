import knex, { type Knex } from 'knex';
import pg from 'pg';
import { ContextClient, type ContextConfig } from './context-client.ts';
import { type ContextValues, presentContext, SYSTEM } from './database-context.ts';

/** PostgreSQL 15 is the oldest version whose `public` schema is closed to strangers by default. */
const SERVER_VERSION_MIN = 150_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS_MAX = 5_000;
/** A connection whose peer vanished without a word is noticed after at most twice this. */
const LISTENER_CHECK_MS = 5_000;

/** The database is down, or its address is wrong. The message is one sentence for the person who runs Gatehouse. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

export interface DatabaseUrls {
  /** Logs in as the role that only reads and writes rows. */
  appUrl: string;
  /** Logs in as the role that owns the schema; used for migrations alone. */
  ownerUrl: string;
}

/** Both addresses from what was configured: DATABASE_URL (application role) and DATABASE_OWNER_URL (owner). */
export function databaseUrls(configured: { databaseUrl: string; databaseOwnerUrl?: string | undefined }): DatabaseUrls {
  const { databaseUrl, databaseOwnerUrl } = configured;
  return {
    appUrl: databaseUrl,
    ownerUrl: databaseOwnerUrl ?? databaseUrl,
  };
}

export interface Listener {
  close(): Promise<void>;
}

export interface ListenerEvents {
  /** The connection was lost: from now on payloads are missed. */
  onDisconnect?(): void;
  /** Listening again. Payloads in between are lost, so drop whatever was cached. */
  onReconnect?(): void;
}

/** Two pools of the application role: whoever asks a database chooses for whom. Both are under row-level security. */
export interface Database {
  /** For people and programs: sees what the present context may see (`inContext`), and nothing outside of one. */
  scoped: Knex;
  /** For the host's own work: the data plane, what runs in the background, finding out who somebody is. Sees everything. */
  system: Knex;
  /** Resolves when the server answers. Refuses with: DatabaseUnavailable. */
  ping(): Promise<void>;
  /**
   * Calls `onPayload` for every NOTIFY on the channel, on a connection of its own that is made again when it is lost.
   * Resolves when the first one listens.
   */
  listen(channel: string, onPayload: (payload: string) => void, events?: ListenerEvents): Promise<Listener>;
  /** Sends a NOTIFY to every host. */
  notify(channel: string, payload: string): Promise<void>;
  /** Closes pool and listeners. Queries that run may finish. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  appUrl: string;
  /** Connections for the host's own work. */
  poolMax?: number;
  /** Connections for people and programs: they can never take those that the data plane needs. */
  scopedPoolMax?: number;
  statementTimeoutMs?: number;
  /** Shown in pg_stat_activity. */
  applicationName?: string;
}

/** Opens the pools of the application role and checks that the server answers. Refuses with: DatabaseUnavailable. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const {
    appUrl,
    poolMax = 10,
    scopedPoolMax = 6,
    statementTimeoutMs = 10_000,
    applicationName = 'gatehouse',
  } = options;
  const settings = { statementTimeoutMs, applicationName };
  const system = createPool(appUrl, { ...settings, poolMax, contextValues: () => SYSTEM });
  const scoped = createPool(appUrl, { ...settings, poolMax: scopedPoolMax, contextValues: presentContext });
  const listeners = new Set<Listener>();
  const ping = () => answers(system, appUrl);
  const destroy = async () => void (await Promise.all([system.destroy(), scoped.destroy()]));
  try {
    await ping();
    await requireBound(system);
  } catch (error) {
    await destroy();
    throw error;
  }
  return {
    scoped,
    system,
    ping,
    async listen(channel, onPayload, events = {}) {
      const listener = await openListener(appUrl, channel, onPayload, events);
      listeners.add(listener);
      return listener;
    },
    notify: async (channel, payload) => {
      await system.raw('SELECT pg_notify(?, ?)', [channel, payload]);
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()));
      await destroy();
    },
  };
}

/**
 * Runs `work` with a small pool of the owner, without a statement timeout, and closes it. Row-level security is forced upon the owner
 * too, so it works as the system. Refuses with: DatabaseUnavailable.
 */
export async function asOwner<Result>(ownerUrl: string, work: (owner: Knex) => Promise<Result>): Promise<Result> {
  const settings = { poolMax: 3, statementTimeoutMs: 0, applicationName: 'gatehouse-owner' };
  const pool = createPool(ownerUrl, { ...settings, contextValues: () => SYSTEM });
  try {
    await answers(pool, ownerUrl);
    return await work(pool);
  } finally {
    await pool.destroy();
  }
}

/** Name of the role that an address logs in as. Refuses with: DatabaseUnavailable. */
export function roleOf(url: string): string {
  const { user } = parseUrl(url);
  if (!user)
    throw new DatabaseUnavailable('The database address names no role; write postgresql://role@host/database.');
  return user;
}

/** One connection outside any pool. The caller ends it. */
export async function connectOnce(url: string, applicationName: string): Promise<pg.Client> {
  parseUrl(url);
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // Without a listener, a connection that breaks while idle would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}

function createPool(
  url: string,
  options: { poolMax: number; statementTimeoutMs: number; applicationName: string; contextValues(): ContextValues },
): Knex {
  parseUrl(url);
  const connection = {
    connectionString: url,
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
  const { contextValues } = options;
  const config: Knex.Config & ContextConfig = {
    client: ContextClient as typeof Knex.Client,
    contextValues,
    connection: connection as Knex.PgConnectionConfig,
    pool: { min: 0, max: options.poolMax },
    acquireConnectionTimeout: CONNECT_TIMEOUT_MS,
    // knex prints to the console what it also rejects with.
    log: { debug: ignore, warn: ignore, error: ignore, deprecate: ignore },
  };
  return knex(config);
}

const ignore = () => {};

/** A superuser, or a role with BYPASSRLS, would see the rows of everybody in whatever context. */
async function requireBound(pool: Knex): Promise<void> {
  const { rows } = await pool.raw(
    'select rolname as role from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)',
  );
  if (rows.length === 0) return;
  throw new DatabaseUnavailable(
    `The role "${rows[0].role}" steps around row-level security, which keeps organisations apart; log in as one made with: create role gatehouse_app login.`,
  );
}

async function answers(pool: Knex, url: string): Promise<void> {
  try {
    const { rows } = await pool.raw(`select current_setting('server_version_num')::int as version`);
    if (rows[0].version >= SERVER_VERSION_MIN) return;
  } catch (error) {
    throw new DatabaseUnavailable(`${reasonOf(error as Error, url)}.`);
  }
  throw new DatabaseUnavailable(`The PostgreSQL at ${placeOf(url)} is too old; Gatehouse needs version 15 or newer.`);
}

function parseUrl(url: string): { host: string; port: number; database: string; user: string } {
  try {
    if (!/^postgres(?:ql)?:\/\//.test(url)) throw new Error('not a PostgreSQL URL');
    const { host, port, database, user } = new pg.Client({ connectionString: url });
    return { host, port, database: database ?? '', user: user ?? '' };
  } catch {
    // The URL itself may hold a password, so it is not repeated.
    throw new DatabaseUnavailable(
      'The database address is malformed; write it as postgresql://role:password@host:5432/database.',
    );
  }
}

const placeOf = (url: string): string => {
  const { host, port, database } = parseUrl(url);
  return host.startsWith('/') ? `${host} (database ${database})` : `${host}:${port}/${database}`;
};

/** One sentence without its full stop: what failed and what to look at. Never repeats a password. */
function reasonOf(error: Error & { code?: string }, url: string): string {
  const place = placeOf(url);
  const { user, database } = parseUrl(url);
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `No PostgreSQL listens at ${place}; start it or correct the database address`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name of the database at ${place} cannot be resolved; correct the database address`;
    case '28P01':
    case '28000':
      return `PostgreSQL at ${place} does not let role "${user}" in; check role, password and pg_hba.conf`;
    case '3D000':
      return `PostgreSQL at ${place} has no database "${database}"; create it or correct the database address`;
    default:
      return `PostgreSQL at ${place} cannot be reached: ${error.message.replace(/[\s.]+$/, '')}`;
  }
}

async function openListener(
  url: string,
  channel: string,
  onPayload: (payload: string) => void,
  events: ListenerEvents,
): Promise<Listener> {
  let closed = false;
  let client: pg.Client | null = null;
  let wake: () => void = () => {};
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function connect(): Promise<void> {
    const next = await connectOnce(url, `gatehouse-listen-${channel}`);
    const check = setInterval(() => {
      next.query({ text: 'select 1', query_timeout: LISTENER_CHECK_MS } as pg.QueryConfig).catch(() => drop());
    }, LISTENER_CHECK_MS).unref();
    let lost = false;
    const drop = () => {
      if (lost) return;
      lost = true;
      clearInterval(check);
      next.end().catch(() => {});
      // `end` waits for the peer; one that has vanished never answers.
      (next as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      if (client !== next) return;
      client = null;
      if (closed) return;
      events.onDisconnect?.();
      void reconnect();
    };
    next.on('error', drop);
    next.on('end', drop);
    next.on('notification', ({ payload }) => onPayload(payload ?? ''));
    try {
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      drop();
      throw error;
    }
    if (lost) throw new Error('Connection terminated while it was set up');
    client = next;
    if (closed) drop();
  }

  async function reconnect(): Promise<void> {
    for (let delayMs = 50; !closed; delayMs = Math.min(delayMs * 2, RECONNECT_DELAY_MS_MAX)) {
      await pause(delayMs);
      if (closed) return;
      try {
        await connect();
      } catch {
        continue;
      }
      if (!closed) events.onReconnect?.();
      return;
    }
  }

  try {
    await connect();
  } catch (error) {
    throw new DatabaseUnavailable(`${reasonOf(error as Error, url)}.`);
  }
  return {
    async close() {
      closed = true;
      wake();
      await client?.end().catch(() => {});
    },
  };
}
