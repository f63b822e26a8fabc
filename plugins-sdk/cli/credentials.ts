import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from './errors.ts';
import type { Settings } from './settings.ts';

/** Where a host is and who we are to it. */
export interface Account {
  url: string;
  token: string | null;
}

interface CredentialsFile {
  /** The profile used without `--profile`: the one of the latest login. */
  current: string;
  profiles: Record<string, { url: string; token: string }>;
}

/** Where `npm start` listens unless told otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:8080';
const PROFILE_PATTERN = /^[a-z0-9][a-z0-9-]{0,38}$/;

const credentialsPath = (configFolder: string): string => join(configFolder, 'credentials.json');

/** Refuses with: settings-invalid. */
async function readCredentials(configFolder: string): Promise<CredentialsFile> {
  const path = credentialsPath(configFolder);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: 'default', profiles: {} };
    throw new CliError('settings-invalid', `${path} cannot be read: ${(error as Error).message}`, { path });
  }
  try {
    const { current, profiles } = JSON.parse(text);
    if (typeof current !== 'string' || typeof profiles !== 'object' || profiles === null)
      throw new Error('wrong shape');
    return { current, profiles };
  } catch {
    throw new CliError('settings-invalid', `${path} is damaged; delete it and run: gate login`, { path });
  }
}

/** The name of the profile in use. Refuses with: settings-invalid, usage. */
export async function profileName(settings: Settings, asked?: string): Promise<string> {
  const name = asked ?? (await readCredentials(settings.configFolder)).current;
  if (!PROFILE_PATTERN.test(name)) {
    throw new CliError('usage', `--profile "${name}" must be lower-case letters, digits and dashes.`);
  }
  return name;
}

/**
 * The account to use. The environment wins over the profile; but a stored token is only ever sent to the address that
 * it was stored with, so GATEHOUSE_URL alone means: without a token. Refuses with: settings-invalid, usage.
 */
export async function findAccount(settings: Settings, asked?: string): Promise<Account> {
  const { profiles } = await readCredentials(settings.configFolder);
  const stored = profiles[await profileName(settings, asked)];
  if (asked !== undefined && stored === undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw new CliError('usage', `There is no profile "${asked}" (known: ${known}). Run: gate login --profile ${asked}`);
  }
  const url = checkUrl(settings.url ?? stored?.url ?? DEFAULT_URL);
  if (settings.token !== null) return { url, token: checkToken('GATEHOUSE_TOKEN', settings.token) };
  return { url, token: stored?.url === url ? stored.token : null };
}

/** Without spaces around it. What no header can carry would end in a sentence that shows the token. Refuses with: usage. */
export function checkToken(source: string, text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError('usage', `${source} has characters that no token has.`);
}

/** Stores a profile and makes it the current one; the file is readable by its owner only. Refuses with: settings-invalid. */
export async function storeAccount(
  configFolder: string,
  profile: string,
  account: { url: string; token: string },
): Promise<string> {
  const credentials = await readCredentials(configFolder);
  return writeCredentials(configFolder, {
    current: profile,
    profiles: { ...credentials.profiles, [profile]: account },
  });
}

async function writeCredentials(configFolder: string, next: CredentialsFile): Promise<string> {
  await mkdir(configFolder, { recursive: true, mode: 0o700 });
  const path = credentialsPath(configFolder);
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, path);
  return path;
}

/** Forgets a profile; the current one is then another, where there is one. Refuses with: settings-invalid. */
export async function forgetAccount(configFolder: string, profile: string): Promise<void> {
  const { current, profiles } = await readCredentials(configFolder);
  if (!(profile in profiles)) return;
  const { [profile]: _, ...rest } = profiles;
  await writeCredentials(configFolder, {
    current: current === profile ? (Object.keys(rest)[0] ?? 'default') : current,
    profiles: rest,
  });
}

/** An http(s) address without a trailing slash. Refuses with: usage. */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new CliError(
      'usage',
      `"${text}" is not an address; it looks like https://gatehouse.example or ${DEFAULT_URL}`,
    );
  }
  return url.href.replace(/\/+$/, '');
}
