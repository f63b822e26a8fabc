import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Host, startHost } from '../../host/compose.ts';
import { readConfig } from '../../host/config.ts';
import { asOwner } from '../../host/database.ts';
import { type Credentials, seedPeople } from '../../host/demo/people.ts';
import type { Log } from '../../host/http/log.ts';
import { migrate, openPlatformDatabase, type PlatformDatabase } from '../../host/open-database.ts';
import type { CordonDeath, CordonKind, SandboxStatus } from '../../sandbox/index.ts';
import { serveOrders } from './program.ts';

/** A whole Gatehouse in a process of its own: real PostgreSQL, real cordons, real HTTP on a free port of loopback. */
export type HostOrder =
  | { op: 'open'; folder: string; cordons: number; lanesPerCordon: number }
  /**
   * Kills one of the ready cordons, the one at `pick` (0 <= pick < 1) among them, or all of them at once. Kills nobody while
   * fewer are ready for everybody than the host is to have: a machine that is too busy to replace them is not what is looked at.
   */
  | { op: 'kill'; pick: number; all: boolean }
  | { op: 'sample' }
  /** Collects all garbage first, so that what is left is what is held. */
  | { op: 'weigh' }
  /** Numbers that installations hold in kv. */
  | { op: 'counts'; installationIds: string[] }
  | { op: 'close' };

export interface OpenedHost {
  url: string;
  credentials: Credentials;
}

export interface Kill {
  pid: number;
  kind: CordonKind;
  /** On the monotonic clock of the machine, as all times here. */
  atMs: number;
}

export interface HostSample {
  atMs: number;
  rssMiB: number;
  /** Of the largest cordon, and of all; 0 where the system does not tell. */
  cordonRssMiB: number;
  cordonsRssMiB: number;
  ready: number;
  cordonDeaths: number;
  running: number;
}

export interface HostWeight {
  heapMiB: number;
  externalMiB: number;
  /** Open descriptors; 0 where the system does not tell. */
  descriptors: number;
  reexecutions: number;
}

export type Counted = { installationId: string; key: string; value: number };

export type HostEvent =
  | { event: 'death'; death: CordonDeath; atMs: number }
  /** A death was held against an installation, with that consequence. */
  | { event: 'strike'; installationId: string; verdict: string }
  /** The host complained, or a part of it failed. */
  | { event: 'complaint'; level: 'warn' | 'error'; message: string };

const MIB = 1024 * 1024;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const tell = serveOrders<HostOrder>(carryOut) as (event: HostEvent) => void;

let database: PlatformDatabase | null = null;
let host: Host | null = null;
let cordonsWanted = 0;
/** The host hears of a death a little later than it happens; nobody dies twice. */
const killed = new Set<number>();

/** What an operator would read: deaths of cordons are told there, with whom they are blamed on. */
const log: Log = {
  debug: () => {},
  info: (facts, message) => {
    if (message !== 'installation struck') return;
    const { installationId, verdict } = facts as { installationId: string; verdict: string };
    tell({ event: 'strike', installationId, verdict });
  },
  warn: (facts, message) => {
    if (message === 'cordon died') tell({ event: 'death', death: facts as CordonDeath, atMs: nowMs() });
    else tell({ event: 'complaint', level: 'warn', message: complaint(facts, message) });
  },
  error: (facts, message) => tell({ event: 'complaint', level: 'error', message: complaint(facts, message) }),
};

function complaint(facts: object, message: string): string {
  const { err } = facts as { err?: unknown };
  return `${message}: ${err instanceof Error ? err.stack : JSON.stringify(facts)}`.slice(0, 2_000);
}

async function carryOut(order: HostOrder): Promise<unknown> {
  switch (order.op) {
    case 'open':
      return open(order);
    case 'kill':
      return kill(order.pick, order.all);
    case 'sample':
      return sample();
    case 'weigh':
      return weigh();
    case 'counts':
      return counts(order.installationIds);
    case 'close':
      await close();
      return null;
  }
}

async function open({ folder, cordons, lanesPerCordon }: Extract<HostOrder, { op: 'open' }>): Promise<OpenedHost> {
  const flags = {
    GATEHOUSE_PORT: '0',
    GATEHOUSE_DATA: folder,
    GATEHOUSE_CORDONS: String(cordons),
    GATEHOUSE_LANES_PER_CORDON: String(lanesPerCordon),
    GATEHOUSE_METRICS_PUBLIC: 'true',
  };
  const config = readConfig({ flags }, {});
  cordonsWanted = cordons;
  database = await openPlatformDatabase(config, log);
  await migrate(database);
  // The scan would keep most of the hostile plugins out; here the sandbox is to be alone with them.
  host = await startHost({ config, appUrl: database.appUrl, log, scan: false });
  return { url: host.url, credentials: await seedPeople(host.registry, path.join(folder, 'credentials.json')) };
}

const cordonsNow = (): SandboxStatus['cordons'] => host?.sandbox.status().cordons ?? [];

function kill(pick: number, all: boolean): Kill[] {
  const ready = cordonsNow().filter(({ state, pid }) => state === 'ready' && !killed.has(pid));
  if (ready.filter(({ kind }) => kind === 'pool').length < cordonsWanted) return [];
  const victims = all ? ready : [ready[Math.floor(pick * ready.length)]!];
  const atMs = nowMs();
  for (const { pid } of victims) {
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
  }
  return victims.map(({ pid, kind }) => ({ pid, kind, atMs }));
}

function sample(): HostSample {
  const status = host!.sandbox.status();
  const sizes = status.cordons.map(({ pid }) => residentMiB(pid));
  return {
    atMs: nowMs(),
    rssMiB: process.memoryUsage.rss() / MIB,
    cordonRssMiB: Math.max(0, ...sizes),
    cordonsRssMiB: sizes.reduce((sum, size) => sum + size, 0),
    ready: status.cordons.filter(({ state }) => state === 'ready').length,
    cordonDeaths: status.cordonDeaths,
    running: status.running,
  };
}

/** From /proc, which costs no process; elsewhere it is left out. */
function residentMiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function weigh(): Promise<HostWeight> {
  for (let time = 0; time < 3; time++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  const text = await (await fetch(`${host!.url}/metrics`)).text();
  const reexecutions = Number(/^gatehouse_reexecutions_total (\d+)/m.exec(text)?.[1] ?? 0);
  return { heapMiB: heapUsed / MIB, externalMiB: external / MIB, descriptors: openDescriptors(), reexecutions };
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

const counts = (installationIds: string[]): Promise<Counted[]> =>
  asOwner(database!.ownerUrl, async (knex) => {
    const rows = await knex('kv_entries').whereIn('installation_id', installationIds).select();
    return rows
      .filter(({ value }) => /^\d+$/.test(value))
      .map(({ installation_id, key, value }) => ({ installationId: installation_id, key, value: Number(value) }));
  });

async function close(): Promise<void> {
  await host?.close();
  await database?.close();
  host = null;
  database = null;
}

// The soak is gone: so are its host and its database.
process.once('disconnect', () => void close().finally(() => process.exit()));
