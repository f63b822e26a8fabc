import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import { styleText } from 'node:util';
import type { Knex } from 'knex';
import semver from 'semver';
import { rowSecurityGaps } from '../../migrations/row-security.ts';
import { migrationStatus } from '../../migrations/run-migrations.ts';
import { buildGuest } from '../../plugins-sdk/guest/build-guest.ts';
import { confinementOf, createSandbox, lookAt } from '../../sandbox/index.ts';
import { checkAudit } from '../audit/check-audit.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { checkKeys } from '../encryption/check-keys.ts';
import { checkPeppers } from '../encryption/check-peppers.ts';
import { createEnvelope } from '../encryption/envelope.ts';
import { ENCRYPTION, type KeyKind, loadKeys, PEPPER } from '../encryption/load-keys.ts';
import { sealedValueStore } from '../encryption/sealed-value-store.ts';
import { createProxyCheck } from '../http/client-address.ts';
import { createLog } from '../log.ts';
import { openPlatformDatabase } from '../open-database.ts';
import { openRedis } from '../redis.ts';
import { checkTransparency } from '../transparency/check-transparency.ts';
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

/** `gatehouse doctor`: looks at everything that a host stands on; with `--audit` at the audit trail and the transparency log alone, and at all of them. Exit code 1 where something is broken. */
export async function doctor({ json, audit, ...flags }: ServerFlags & { json?: true; audit?: true }): Promise<number> {
  const config = configOf(flags, { GATEHOUSE_LOG_LEVEL: 'error' });
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(audit ? { audit: AUDIT, transparency: TRANSPARENCY } : CHECKS)) {
    const found = await check(config).catch((error) => failed(explain(error).split('\n')[0]!));
    for (const finding of Array.isArray(found) ? found : [{ name, ...found }]) {
      findings.push(finding);
      if (!json) process.stdout.write(lineOf(finding));
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  return findings.some(({ state }) => state === 'failed') ? 1 : 0;
}

const NAME_UNITS = 18;
const MARKS = { ok: ['green', '✔'], warning: ['yellow', '!'], failed: ['red', '✘'] } as const;

function lineOf({ name, state, message }: Finding): string {
  const [colour, mark] = MARKS[state];
  return `${styleText(colour, mark, { stream: process.stdout })} ${name.padEnd(NAME_UNITS)} ${message}\n`;
}

const LOOPBACK = /^(?:localhost|127\.|::1$)/;

/** One finding, which gets the name of the check, or several of their own. */
type Check = (config: Config) => Promise<Omit<Finding, 'name'> | Finding[]>;

/** Every entry since the first. */
const AUDIT: Check = async (config) => {
  const database = await openPlatformDatabase(config, createLog('silent'));
  try {
    const { entries, heads, unsigned, faults } = await checkAudit(config, database.appUrl);
    if (faults.length > 0) return faults.map(({ kind, message }) => ({ name: `audit ${kind}`, ...failed(message) }));
    const late = unsigned > 0 ? `; ${unsigned} of them came after the last` : '';
    return ok(`${entries} entries, as they were written, under ${heads} signed heads${late}`);
  } finally {
    await database.close();
  }
};

/** Every leaf, inner node and signed head. */
const TRANSPARENCY: Check = async (config) => {
  const database = await openPlatformDatabase(config, createLog('silent'));
  try {
    const { entries, heads, faults } = await checkTransparency(config, database.appUrl);
    if (faults.length > 0) return faults.map(({ kind, message }) => ({ name: `log ${kind}`, ...failed(message) }));
    return ok(`${entries} entries, hashed again, under ${heads} signed heads`);
  } finally {
    await database.close();
  }
};

/** Whether the keys are those that were used before; nothing where there are none, which is said elsewhere. */
async function storedValues(config: Config, knex: Knex): Promise<Finding[]> {
  const keys = await usedKeys(config, config.encryptionKey, ENCRYPTION);
  if (keys === null) return [];
  const envelope = createEnvelope(keys);
  const faults = await checkKeys({ store: sealedValueStore(knex), envelope })();
  const sealed =
    faults.length === 0
      ? ok('what is stored opens with the keys that are configured')
      : failed(`Not with these keys: ${faults.join(' ')} Give every host the keys of before, and never another.`);
  const peppers = await usedKeys(config, config.passwordPepper, PEPPER);
  if (peppers === null) return [{ name: 'sealed values', ...sealed }];
  const wrong = await checkPeppers({ database: knex, envelope, peppers })();
  const pepper =
    wrong.length === 0
      ? ok('people are found by the pepper that is configured')
      : failed(
          `Not with these peppers: ${wrong.join(' ')} Give every host those of before; people cannot log in here.`,
        );
  return [
    { name: 'sealed values', ...sealed },
    { name: 'pepper', ...pepper },
  ];
}

/** Makes none. */
function usedKeys({ databaseUrl, dataFolder }: Config, configured: string | null, kind: KeyKind) {
  const isMade = databaseUrl === null && existsSync(path.join(dataFolder, kind.file));
  return loadKeys({ configured, folder: isMade ? dataFolder : null, kind }).catch(() => null);
}

const CHECKS: Record<string, Check> = {
  settings: async ({ warnings }) =>
    warnings.length === 0 ? ok('all that are set are known') : warning(warnings.join(' ')),
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
  account: async ({ confinement }) => {
    if (process.getuid?.() === 0) return ok('root; sandbox processes and PostgreSQL run as unprivileged accounts');
    const { layers } = await confinementOf(confinement === 'off' ? 'off' : 'auto');
    return layers.has('own-root')
      ? ok('not root; sandbox processes share this account, but see neither its files nor its processes')
      : warning('not root, so sandbox processes share this account; start as root or isolate the account otherwise.');
  },
  // One line for each layer: nobody should have to guess which of them stand.
  confinement: async ({ confinement }) => {
    const { findings } = await confinementOf(confinement === 'required' ? 'auto' : confinement);
    const bad = confinement === 'required' ? failed : warning;
    return findings.map(({ layer, state, stops, why }) => ({
      name: layer,
      ...(state === 'active' ? ok(`active; stops: ${stops}`) : bad(`${state}: ${why} Not stopped: ${stops}`)),
    }));
  },
  sandbox: async ({ lanesPerCordon, confinement }) => {
    const options = { cordons: 1, lanesPerCordon, queuePerLane: 1, isolatesPerLane: 1, spare: false, confinement };
    const noBundle = () => Promise.reject(new Error('doctor runs no plugin'));
    const sandbox = await createSandbox(options, { loadBundle: noBundle, guest: await buildGuest() });
    try {
      const { pid } = sandbox.status().cordons[0]!;
      const { layers } = await confinementOf(confinement);
      const seen = layers.size > 0 ? lookAt(pid).layers : [];
      const missing = [...layers].filter((layer) => !seen.includes(layer));
      return missing.length === 0
        ? ok(`a sandbox process started (pid ${pid}), and the kernel confirms its ${seen.length} layers`)
        : failed(`a sandbox process started (pid ${pid}), but the kernel does not confirm ${missing.join(', ')}.`);
    } finally {
      await sandbox.close(0);
    }
  },
  // Says what it finds and makes nothing: a key that is made in passing would be nobody's.
  encryption: async ({ encryptionKey, databaseUrl }) => {
    if (encryptionKey === null && databaseUrl === null) return ok('secrets are sealed with a key in the data folder');
    const keys = await loadKeys({ configured: encryptionKey, folder: null });
    return ok(`secrets are sealed with version ${Math.max(...keys.keys())} of ${keys.size} configured`);
  },
  passwords: async ({ passwordPepper, databaseUrl }) => {
    if (passwordPepper === null && databaseUrl === null)
      return ok('passwords are hashed with a pepper in the data folder');
    const keys = await loadKeys({ configured: passwordPepper, folder: null, kind: PEPPER });
    return ok(`passwords are hashed with version ${Math.max(...keys.keys())} of ${keys.size} configured peppers`);
  },
  mail: async ({ mail }) => {
    if (mail.devMailbox) return warning('Everybody may read all mail at /dev/mailbox; unset GATEHOUSE_DEV_MAILBOX.');
    if (mail.smtpUrl === null) return warning('No mail is sent, so nobody can register: set GATEHOUSE_SMTP_URL.');
    return ok(`mail is sent by ${new URL(mail.smtpUrl).host}`);
  },
  queues: async ({ redisUrl }) => {
    if (redisUrl === null) return ok('PostgreSQL hands out messages');
    const redis = await openRedis(redisUrl, createLog('silent'));
    const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
    redis.disconnect();
    return policy === 'noeviction'
      ? ok('Redis hands out messages')
      : warning(`Redis hands out messages, but may forget them: set maxmemory-policy to noeviction, not ${policy}.`);
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
        if (pending.length > 0)
          return warning(`${database.description}; not up to date: ${names}. Run: ${database.command('migrate up')}`);
        const gaps = await rowSecurityGaps(knex);
        const schema =
          gaps.length > 0
            ? failed(`${database.description}; ${gaps.join(' ')} Run: ${database.command('migrate up')}`)
            : ok(`${database.description}; migrations up to date, rows secured`);
        return [{ name: 'database', ...schema }, ...(await storedValues(config, knex))];
      });
    } finally {
      await database.close();
    }
  },
  listeners: async ({ admin, hostName, trustedProxies }) => {
    createProxyCheck(trustedProxies);
    if (admin !== null)
      return ok(`/metrics and the routes of platform staff are at ${admin.hostName}:${admin.port} alone`);
    return LOOPBACK.test(hostName)
      ? ok('one for everybody, on loopback')
      : warning('/metrics and the routes of platform staff are where strangers are; set GATEHOUSE_ADMIN_PORT.');
  },
  port: ({ port, hostName }) =>
    new Promise((resolve) => {
      const server = createServer()
        .once('error', ({ message }) => resolve(failed(`${hostName}:${port} cannot be used: ${message}`)))
        .listen(port, hostName, () => server.close(() => resolve(ok(`${hostName}:${port} is free`))));
    }),
};
