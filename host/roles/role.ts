import { MigrationRefused } from '../../migrations/run-migrations.ts';
import { SigningKeyUnusable } from '../../registry/index.ts';
import { ConfinementMissing } from '../../sandbox/index.ts';
import { type Config, ConfigInvalid, readConfig } from '../config.ts';
import { DatabaseUnavailable } from '../database.ts';
import { EmbeddedPostgresFailed } from '../embedded-postgres.ts';
import { EncryptionKeyUnusable } from '../encryption/load-keys.ts';
import { AddressUnavailable } from '../listen-address.ts';
import { createLog } from '../log.ts';
import { RedisUnavailable } from '../redis.ts';
import { TrustRootUnusable } from '../transparency/load-trust-roots.ts';

/** A role cannot do what was asked for, and the person who asked can change that. One sentence. */
export class RoleRefused extends Error {
  override name = 'RoleRefused';
}

const REFUSALS = [
  RoleRefused,
  ConfigInvalid,
  DatabaseUnavailable,
  EmbeddedPostgresFailed,
  MigrationRefused,
  SigningKeyUnusable,
  TrustRootUnusable,
  EncryptionKeyUnusable,
  RedisUnavailable,
  AddressUnavailable,
  ConfinementMissing,
];

const SYSTEM_ADVICE: Record<string, string> = {
  ENOSPC: 'The disk is full; free some space or choose another folder with --data.',
  EACCES: 'The folder cannot be written; correct its owner or choose another with --data.',
  EROFS: 'The folder is on a read-only file system; choose another with --data.',
};

/** What a person needs to know of an error: one sentence where it can be put right, the stack where it is our fault. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (REFUSALS.some((Refusal) => error instanceof Refusal)) return error.message;
  const { code, path, message, stack } = error as NodeJS.ErrnoException;
  const advice = SYSTEM_ADVICE[code ?? ''];
  return advice ? `${advice}${path ? ` (${path})` : ''}` : (stack ?? message);
}

/** The log of a role, which begins with what is doubtful about its settings. */
export function openLog({ logLevel, warnings }: Config): ReturnType<typeof createLog> {
  const log = createLog(logLevel);
  for (const warning of warnings) log.warn({}, warning);
  return log;
}

export interface ServerFlags {
  port?: string;
  host?: string;
  data?: string;
  hosts?: string;
}

export const configOf = (
  { port = '', host = '', data = '', hosts = '' }: ServerFlags,
  defaults: Record<string, string> = {},
): Config =>
  readConfig({
    flags: { GATEHOUSE_PORT: port, GATEHOUSE_HOST: host, GATEHOUSE_DATA: data, GATEHOUSE_HOSTS: hosts },
    defaults,
  });
