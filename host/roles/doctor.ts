import { access, constants, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { styleText } from 'node:util';
import semver from 'semver';
import { migrationStatus } from '../../migrations/run-migrations.ts';
import { buildGuest } from '../../plugins-sdk/guest/build-guest.ts';
import { createSandbox } from '../../sandbox/index.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { createLog } from '../log.ts';
import { openPlatformDatabase } from '../open-database.ts';
import { configOf, explain, type ServerFlags } from './role.ts';

interface Finding {
  name: string;
  state: 'ok' | 'warning' | 'failed';
  /** What was found; where it is not ok, what to do. */
  message: string;
}

const NODE_BEST = 26;
/** Older versions have a published escape (see docs/sandbox.md). */
const ISOLATED_VM_MIN = '7.0.1';

const ok = (message: string) => ({ state: 'ok' as const, message });
const warning = (message: string) => ({ state: 'warning' as const, message });
const failed = (message: string) => ({ state: 'failed' as const, message });

/** `gatehouse doctor`: looks at everything that a host stands on. Exit code 1 where something is broken. */
export async function doctor({ json, ...flags }: ServerFlags & { json?: true }): Promise<number> {
  const config = configOf(flags, { GATEHOUSE_LOG_LEVEL: 'error' });
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const finding = { name, ...(await check(config).catch((error) => failed(explain(error).split('\n')[0]!))) };
    findings.push(finding);
    if (!json) process.stdout.write(lineOf(finding));
  }
  if (json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  return findings.some(({ state }) => state === 'failed') ? 1 : 0;
}

const MARKS = { ok: ['green', '✔'], warning: ['yellow', '!'], failed: ['red', '✘'] } as const;

function lineOf({ name, state, message }: Finding): string {
  const [colour, mark] = MARKS[state];
  return `${styleText(colour, mark, { stream: process.stdout })} ${name.padEnd(12)} ${message}\n`;
}

type Check = (config: Config) => Promise<Omit<Finding, 'name'>>;

const CHECKS: Record<string, Check> = {
  runtime: async () => {
    const { node } = process.versions;
    return semver.major(node) >= NODE_BEST
      ? ok(`Node.js ${node}`)
      : warning(`Node.js ${node} does not deny the network to sandbox processes; use Node.js ${NODE_BEST} or newer.`);
  },
  engine: async () => {
    const { version } = createRequire(import.meta.url)('isolated-vm/package.json') as { version: string };
    return semver.gte(version, ISOLATED_VM_MIN)
      ? ok(`isolated-vm ${version}, V8 ${process.versions.v8}`)
      : failed(`isolated-vm ${version} has a published escape; install ${ISOLATED_VM_MIN} or newer.`);
  },
  account: async () =>
    process.getuid?.() === 0
      ? ok('root; sandbox processes and PostgreSQL run as unprivileged accounts')
      : warning('not root, so sandbox processes share this account; start as root or isolate the account otherwise.'),
  sandbox: async ({ lanesPerCordon }) => {
    const options = { cordons: 1, lanesPerCordon, queuePerLane: 1, isolatesPerLane: 1, spare: false };
    const noBundle = () => Promise.reject(new Error('doctor runs no plugin'));
    const sandbox = await createSandbox(options, { loadBundle: noBundle, guest: await buildGuest() });
    const [cordon] = sandbox.status().cordons;
    await sandbox.close(0);
    return ok(`a sandbox process started (pid ${cordon?.pid}) and ended`);
  },
  folder: async ({ dataFolder }) => {
    await mkdir(dataFolder, { recursive: true });
    await access(dataFolder, constants.W_OK);
    return ok(`${dataFolder} can be written`);
  },
  database: async (config) => {
    const database = await openPlatformDatabase(config, createLog('silent'));
    try {
      return await asOwner(database.appUrl, async (knex) => {
        const pending = (await migrationStatus(knex)).filter(({ state }) => state === 'pending' || state === 'changed');
        const names = pending.map(({ name, state }) => `${name} (${state})`).join(', ');
        return pending.length === 0
          ? ok(`${database.description}; migrations up to date`)
          : warning(`${database.description}; not up to date: ${names}. Run: gatehouse migrate up.`);
      });
    } finally {
      await database.close();
    }
  },
  port: ({ port, hostName }) =>
    new Promise((resolve) => {
      const server = createServer()
        .once('error', ({ message }) => resolve(failed(`${hostName}:${port} cannot be used: ${message}`)))
        .listen(port, hostName, () => server.close(() => resolve(ok(`${hostName}:${port} is free`))));
    }),
};
