import path from 'node:path';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { OWN_SCHEMAS } from '../plugins-sdk/contract/own-schemas.ts';
import { CONFINEMENT_MODES, type ConfinementMode } from '../sandbox/index.ts';
import { type RateLimitTable, readRateLimits } from './rate-limits/rules/limits.ts';
import { listOf, originOf, settingFaults } from './setting-faults.ts';
import { unknownSettings } from './unknown-settings.ts';

const Environment = Type.Object({
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  DATABASE_OWNER_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  REDIS_URL: Type.Optional(Type.String({ pattern: '^rediss?://' })),
  GATEHOUSE_HOST: Type.String({ default: '127.0.0.1' }),
  GATEHOUSE_PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535 }),
  GATEHOUSE_DATA: Type.String({ default: '.gatehouse', minLength: 1 }),
  GATEHOUSE_PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://' })),
  GATEHOUSE_SIGNING_KEY: Type.Optional(Type.String({ minLength: 1 })),
  GATEHOUSE_TRUST_ROOTS: Type.String({ default: '' }),
  GATEHOUSE_ENCRYPTION_KEY: Type.Optional(Type.String()),
  GATEHOUSE_PASSWORD_PEPPER: Type.Optional(Type.String()),
  GATEHOUSE_SMTP_URL: Type.Optional(Type.String({ pattern: '^smtps?://' })),
  GATEHOUSE_MAIL_FROM: Type.String({ default: 'Gatehouse <gatehouse@localhost>', pattern: '^[^\\r\\n]{3,200}$' }),
  GATEHOUSE_DEV_MAILBOX: Type.Boolean({ default: false }),
  // What BotFather gives: the bot's number, a colon, and the secret.
  GATEHOUSE_TELEGRAM_BOT_TOKEN: Type.Optional(Type.String({ pattern: '^[0-9]{3,20}:\\S{20,100}$' })),
  GATEHOUSE_TELEGRAM_BOT_ID: Type.Optional(Type.String({ pattern: '^[0-9]{3,20}$' })),
  GATEHOUSE_TELEGRAM_ENVIRONMENT: Type.Union([Type.Literal('production'), Type.Literal('test')], {
    default: 'production',
  }),
  GATEHOUSE_TELEGRAM_AGE_MS: Type.Integer({ default: 300_000, minimum: 10_000, maximum: 86_400_000 }),
  GATEHOUSE_EGRESS_ALLOW: Type.String({ default: '', pattern: '^[0-9a-fA-F.:/, ]*$' }),
  GATEHOUSE_EGRESS_HTTP: Type.Boolean({ default: false }),
  GATEHOUSE_TRUSTED_PROXIES: Type.String({ default: '', pattern: '^[0-9a-fA-F.:/, ]*$' }),
  GATEHOUSE_METRICS_PUBLIC: Type.Boolean({ default: false }),
  GATEHOUSE_CATALOGUE_PUBLIC: Type.Boolean({ default: true }),
  GATEHOUSE_ADMIN_HOST: Type.String({ default: '127.0.0.1' }),
  GATEHOUSE_ADMIN_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  GATEHOUSE_RATE_LIMITS: Type.String({ default: '' }),
  GATEHOUSE_CONNECTIONS_PER_ADDRESS: Type.Integer({ default: 1_000, minimum: 1, maximum: 10_000 }),
  GATEHOUSE_HOSTS: Type.Integer({ default: 1, minimum: 1, maximum: 16 }),
  GATEHOUSE_CORDONS: Type.Integer({ default: 2, minimum: 1, maximum: 64 }),
  GATEHOUSE_LANES_PER_CORDON: Type.Integer({ default: 1, minimum: 1, maximum: 64 }),
  GATEHOUSE_CORDON_RSS_MIB: Type.Integer({ default: 1_536, minimum: 256, maximum: 65_536 }),
  GATEHOUSE_CORDON_AGE_MS: Type.Integer({ default: 3_600_000, minimum: 10_000, maximum: 86_400_000 }),
  GATEHOUSE_BUSY_POLL_US: Type.Integer({ default: 500, minimum: 0, maximum: 1_000 }),
  GATEHOUSE_CONFINEMENT: Type.Union(
    CONFINEMENT_MODES.map((mode) => Type.Literal(mode)),
    { default: 'auto' },
  ),
  GATEHOUSE_STRIKES_SOLITARY: Type.Integer({ default: 3, minimum: 1, maximum: 1_000 }),
  GATEHOUSE_STRIKES_SUSPEND: Type.Integer({ default: 6, minimum: 1, maximum: 1_000 }),
  GATEHOUSE_STRIKE_HALF_LIFE_MS: Type.Integer({ default: 3_600_000, minimum: 1_000, maximum: 31_536_000_000 }),
  GATEHOUSE_UNINSTALL_GRACE_MS: Type.Integer({ default: 604_800_000, minimum: 0, maximum: 31_536_000_000 }),
  GATEHOUSE_DRAIN_MS: Type.Integer({ default: 10_000, minimum: 0, maximum: 600_000 }),
  GATEHOUSE_REQUESTS_MAX: Type.Integer({ default: 2_000, minimum: 1, maximum: 100_000 }),
  GATEHOUSE_SHED_DELAY_MS: Type.Integer({ default: 250, minimum: 0, maximum: 60_000 }),
  GATEHOUSE_PROFILE_CORDONS: Type.Optional(Type.String({ minLength: 1 })),
  GATEHOUSE_LOG_LEVEL: Type.Union(
    ['silent', 'error', 'warn', 'info', 'debug'].map((level) => Type.Literal(level)),
    { default: 'info' },
  ),
});

/** What can be set, with defaults; the same table makes `gatehouse doctor` and the admin guide. */
export const SETTINGS = {
  DATABASE_URL: 'PostgreSQL address of the application role; without it the embedded PostgreSQL is started.',
  DATABASE_OWNER_URL: 'PostgreSQL address of the role that owns the schema, used for migrations only.',
  REDIS_URL: 'Redis that hands out messages of queues; without it PostgreSQL does. A database of its own.',
  GATEHOUSE_HOST: 'Address to listen on.',
  GATEHOUSE_PORT: 'Port to listen on; 0 takes a free one.',
  GATEHOUSE_DATA: 'Folder of the embedded database and of the signing key.',
  GATEHOUSE_PUBLIC_URL: 'Origin under which callers reach the host, without a path.',
  GATEHOUSE_SIGNING_KEY: "File of the registry's Ed25519 key (PEM); made on first use.",
  GATEHOUSE_TRUST_ROOTS:
    'Files with the public keys (PEM) of other registries whose releases admins may import, separated by commas.',
  GATEHOUSE_ENCRYPTION_KEY:
    'Key that secrets are stored under: 32 bytes as base64, or several as <version>:<base64>, separated by commas.',
  GATEHOUSE_PASSWORD_PEPPER:
    'Key that passwords are hashed with, kept apart from the database for ever: 32 bytes as base64, or several as <version>:<base64>.',
  GATEHOUSE_SMTP_URL:
    'Server that mail is sent by, such as smtps://user:password@mail.example.com; without it none is sent.',
  GATEHOUSE_MAIL_FROM: 'Sender of mail.',
  GATEHOUSE_DEV_MAILBOX: 'true: everybody may read all mail at /dev/mailbox. For development.',
  GATEHOUSE_TELEGRAM_BOT_TOKEN: 'Token of the bot whose Mini App people log in from.',
  GATEHOUSE_TELEGRAM_BOT_ID:
    "Number of that bot, where its token is to stay elsewhere: logins are then proven by Telegram's public key.",
  GATEHOUSE_TELEGRAM_ENVIRONMENT: "production or test: which of Telegram's public keys.",
  GATEHOUSE_TELEGRAM_AGE_MS: 'Milliseconds that init data of a Mini App may be old.',
  GATEHOUSE_EGRESS_ALLOW:
    'Address ranges that plugins may reach although they are not the public internet, separated by commas.',
  GATEHOUSE_EGRESS_HTTP:
    'true: plugins may fetch http: addresses too; secrets are sent there on this machine alone. For development.',
  GATEHOUSE_TRUSTED_PROXIES: 'Addresses or ranges of proxies whose X-Forwarded-For counts, separated by commas.',
  GATEHOUSE_METRICS_PUBLIC: 'true: /metrics needs no token. Only where strangers cannot reach it.',
  GATEHOUSE_CATALOGUE_PUBLIC: 'false: the catalogue and its listings need a token or a session, too.',
  GATEHOUSE_ADMIN_HOST: 'Address that the listener for admins listens on.',
  GATEHOUSE_ADMIN_PORT:
    'Port of the listener for admins, which /metrics and the routes of platform staff move to; without it there is none.',
  GATEHOUSE_RATE_LIMITS:
    'Limits other than the defaults: <limit>=<count>/<seconds> or <limit>=off, separated by commas.',
  GATEHOUSE_CONNECTIONS_PER_ADDRESS:
    'Connections of one client address at a time; more are cut. Proxies are not counted.',
  GATEHOUSE_HOSTS: 'Host processes of serve on the one port, each with sandbox processes of its own.',
  GATEHOUSE_CORDONS: 'Sandbox processes of a host.',
  GATEHOUSE_LANES_PER_CORDON: 'Threads per sandbox process.',
  GATEHOUSE_CORDON_RSS_MIB:
    'MiB of memory of one sandbox process, above which it is killed; it is replaced from 70 % on.',
  GATEHOUSE_CORDON_AGE_MS: 'Milliseconds after which a sandbox process is replaced.',
  GATEHOUSE_BUSY_POLL_US:
    'Microseconds for which host and sandbox look for the next words of each other before they sleep; 0: they sleep at once.',
  GATEHOUSE_CONFINEMENT: 'Layers of the kernel around sandbox processes: auto (what there is), required or off.',
  GATEHOUSE_STRIKES_SOLITARY: 'Deaths of sandbox processes from which on an installation runs alone.',
  GATEHOUSE_STRIKES_SUSPEND: 'Deaths of sandbox processes from which on an installation is suspended.',
  GATEHOUSE_STRIKE_HALF_LIFE_MS: 'Milliseconds after which such a death counts half.',
  GATEHOUSE_UNINSTALL_GRACE_MS: 'Milliseconds that what a removed installation stored is kept.',
  GATEHOUSE_DRAIN_MS: 'Milliseconds that running requests get at shutdown.',
  GATEHOUSE_REQUESTS_MAX: 'Requests to plugins that are answered at a time; more are refused.',
  GATEHOUSE_SHED_DELAY_MS: 'Mean wait for the event loop from which on requests to plugins are refused; 0: never.',
  GATEHOUSE_PROFILE_CORDONS:
    'Folder for CPU profiles of sandbox processes. For benchmarks; refused where NODE_ENV is production.',
  GATEHOUSE_LOG_LEVEL: 'silent, error, warn, info or debug.',
} as const satisfies Record<keyof Static<typeof Environment>, string>;

export interface Config {
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null;
  databaseOwnerUrl: string | null;
  /** Null: PostgreSQL hands out messages of queues. */
  redisUrl: string | null;
  hostName: string;
  port: number;
  /** Absolute. */
  dataFolder: string;
  publicUrl: string | null;
  signingKeyFile: string;
  /** Files with public keys of other registries. */
  trustRootFiles: string[];
  /** As `parseKeys` reads it; null where it is not set. */
  encryptionKey: string | null;
  /** Likewise. */
  passwordPepper: string | null;
  telegram: {
    botToken: string | null;
    botId: string | null;
    environment: 'production' | 'test';
    ageMsMax: number;
    skewMsMax: number;
  };
  mail: {
    /** Null: mail stays in the outbox. */
    smtpUrl: string | null;
    from: string;
    /** Mail is kept, and shown to everybody. */
    devMailbox: boolean;
  };
  egress: {
    /** Ranges that are let through although they are not the public internet. */
    allow: string[];
    http: boolean;
  };
  trustedProxies: string[];
  metricsPublic: boolean;
  /** Strangers may search the catalogue and read listings. */
  cataloguePublic: boolean;
  /** Where admins are served apart; null: where everybody is. */
  admin: { hostName: string; port: number } | null;
  rateLimits: RateLimitTable;
  connectionsPerAddress: number;
  hosts: number;
  cordons: number;
  lanesPerCordon: number;
  cordonRssMiB: number;
  cordonAgeMs: number;
  busyPollUs: number;
  confinement: ConfinementMode;
  strikes: {
    solitaryAt: number;
    /** At least `solitaryAt`. */
    suspendAt: number;
    halfLifeMs: number;
  };
  uninstallGraceMs: number;
  drainMs: number;
  requestsMax: number;
  shedDelayMs: number;
  /** Null: cordons do not profile themselves, and cannot. */
  profileCordons: string | null;
  logLevel: string;
  /** What is set and does nothing, a sentence each. */
  warnings: readonly string[];
}

/** A setting is wrong. The message names every fault, one line each. */
export class ConfigInvalid extends Error {
  override name = 'ConfigInvalid';
}

const validate = new Ajv({
  allErrors: true,
  ...OWN_SCHEMAS,
  coerceTypes: true,
  useDefaults: true,
  verbose: true,
}).compile<Static<typeof Environment>>(Environment);

type Variables = Partial<Record<string, string>>;

/**
 * Reads the environment once; reports all faults in one ConfigInvalid. An empty variable counts as unset. `flags` win over
 * the environment, `defaults` are for what neither says.
 */
export function readConfig(
  { flags = {}, defaults = {} }: { flags?: Variables; defaults?: Variables } = {},
  env: Variables = process.env,
): Config {
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(SETTINGS)) {
    const value = flags[name] || env[name] || defaults[name];
    if (value) settings[name] = value;
  }
  const fits = validate(settings);
  const faults = [...(fits ? [] : schemaFaults()), ...settingFaults(settings, env.NODE_ENV)];
  if (!fits || faults.length > 0) throw new ConfigInvalid(`The configuration has faults:\n  ${faults.join('\n  ')}`);
  const { GATEHOUSE_ADMIN_PORT: adminPort, GATEHOUSE_ADMIN_HOST: adminHost } = settings;
  const dataFolder = path.resolve(settings.GATEHOUSE_DATA);
  return Object.freeze({
    databaseUrl: settings.DATABASE_URL ?? null,
    databaseOwnerUrl: settings.DATABASE_OWNER_URL ?? null,
    redisUrl: settings.REDIS_URL ?? null,
    hostName: settings.GATEHOUSE_HOST,
    port: settings.GATEHOUSE_PORT,
    dataFolder,
    publicUrl: settings.GATEHOUSE_PUBLIC_URL === undefined ? null : originOf(settings.GATEHOUSE_PUBLIC_URL),
    signingKeyFile: settings.GATEHOUSE_SIGNING_KEY ?? path.join(dataFolder, 'registry-key.pem'),
    trustRootFiles: listOf(settings.GATEHOUSE_TRUST_ROOTS),
    encryptionKey: settings.GATEHOUSE_ENCRYPTION_KEY ?? null,
    passwordPepper: settings.GATEHOUSE_PASSWORD_PEPPER ?? null,
    telegram: Object.freeze({
      botToken: settings.GATEHOUSE_TELEGRAM_BOT_TOKEN ?? null,
      botId: settings.GATEHOUSE_TELEGRAM_BOT_ID ?? null,
      environment: settings.GATEHOUSE_TELEGRAM_ENVIRONMENT,
      ageMsMax: settings.GATEHOUSE_TELEGRAM_AGE_MS,
      // Clocks of servers differ by less.
      skewMsMax: 30_000,
    }),
    mail: Object.freeze({
      smtpUrl: settings.GATEHOUSE_SMTP_URL ?? null,
      from: settings.GATEHOUSE_MAIL_FROM,
      devMailbox: settings.GATEHOUSE_DEV_MAILBOX,
    }),
    egress: Object.freeze({ allow: listOf(settings.GATEHOUSE_EGRESS_ALLOW), http: settings.GATEHOUSE_EGRESS_HTTP }),
    trustedProxies: listOf(settings.GATEHOUSE_TRUSTED_PROXIES),
    metricsPublic: settings.GATEHOUSE_METRICS_PUBLIC,
    cataloguePublic: settings.GATEHOUSE_CATALOGUE_PUBLIC,
    admin: adminPort === undefined ? null : Object.freeze({ hostName: adminHost, port: adminPort }),
    rateLimits: readRateLimits(settings.GATEHOUSE_RATE_LIMITS),
    connectionsPerAddress: settings.GATEHOUSE_CONNECTIONS_PER_ADDRESS,
    hosts: settings.GATEHOUSE_HOSTS,
    cordons: settings.GATEHOUSE_CORDONS,
    lanesPerCordon: settings.GATEHOUSE_LANES_PER_CORDON,
    cordonRssMiB: settings.GATEHOUSE_CORDON_RSS_MIB,
    cordonAgeMs: settings.GATEHOUSE_CORDON_AGE_MS,
    busyPollUs: settings.GATEHOUSE_BUSY_POLL_US,
    confinement: settings.GATEHOUSE_CONFINEMENT,
    strikes: Object.freeze({
      solitaryAt: settings.GATEHOUSE_STRIKES_SOLITARY,
      suspendAt: settings.GATEHOUSE_STRIKES_SUSPEND,
      halfLifeMs: settings.GATEHOUSE_STRIKE_HALF_LIFE_MS,
    }),
    uninstallGraceMs: settings.GATEHOUSE_UNINSTALL_GRACE_MS,
    drainMs: settings.GATEHOUSE_DRAIN_MS,
    requestsMax: settings.GATEHOUSE_REQUESTS_MAX,
    shedDelayMs: settings.GATEHOUSE_SHED_DELAY_MS,
    profileCordons: settings.GATEHOUSE_PROFILE_CORDONS ?? null,
    logLevel: settings.GATEHOUSE_LOG_LEVEL,
    warnings: Object.freeze(unknownSettings(Object.keys(env), Object.keys(SETTINGS))),
  });
}

const schemaFaults = (): string[] =>
  (validate.errors ?? [])
    .filter(({ keyword }) => keyword !== 'const')
    .map(({ instancePath, message, parentSchema }) => {
      const words = (parentSchema as { anyOf?: { const: string }[] }).anyOf?.map(({ const: word }) => word);
      return `${instancePath.slice(1)} ${words ? `must be one of: ${words.join(', ')}` : message}`;
    });
