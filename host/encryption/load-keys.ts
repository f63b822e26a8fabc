import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { WrappingKeys } from './envelope.ts';

/** Encryption keys are missing or cannot be used. The message is one sentence for the person who runs Gatehouse. */
export class EncryptionKeyUnusable extends Error {
  override name = 'EncryptionKeyUnusable';
}

const KEY = /^(?:(?<version>[1-9]\d{0,8}):)?(?<key>[A-Za-z0-9+/]{43}=)$/;

/**
 * Reads `<base64 of 32 bytes>`, or several as `<version>:<base64>` separated by commas; a key without a version is version 1.
 * Never repeats a key in a message. Refuses with: EncryptionKeyUnusable.
 */
export function parseKeys(text: string, kind: KeyKind = ENCRYPTION): WrappingKeys {
  const keys = new Map<number, Buffer>();
  for (const each of text.split(',')) {
    const found = KEY.exec(each.trim())?.groups;
    if (!found)
      throw unusable(
        kind,
        'must be 32 bytes as base64 (make one with: openssl rand -base64 32), or <version>:<base64>,…',
      );
    const version = Number(found.version ?? 1);
    if (keys.has(version)) throw unusable(kind, `names version ${version} twice`);
    keys.set(version, Buffer.from(found.key!, 'base64'));
  }
  return keys;
}

/** What keys are for: their setting, the name of their file, and what one would miss. */
export interface KeyKind {
  setting: string;
  file: string;
  why: string;
}
export const ENCRYPTION: KeyKind = {
  setting: 'GATEHOUSE_ENCRYPTION_KEY',
  file: 'encryption-key',
  why: 'secrets are stored encrypted',
};
/** Keys of hashes of passwords, and of blind indexes; the lowest version is for the latter, for ever. */
export const PEPPER: KeyKind = {
  setting: 'GATEHOUSE_PASSWORD_PEPPER',
  file: 'password-pepper',
  why: 'no password can be checked without it',
};

/**
 * The keys of a host: those of the configuration, else, where there is a folder for it, those of a file there (`encryption-key`),
 * which is made on first use and which only its owner may read. Refuses with: EncryptionKeyUnusable.
 */
export async function loadKeys({
  configured,
  folder,
  kind = ENCRYPTION,
}: {
  configured: string | null;
  folder: string | null;
  kind?: KeyKind;
}): Promise<WrappingKeys> {
  if (configured !== null) return parseKeys(configured, kind);
  if (folder === null) {
    throw unusable(kind, `is missing: ${kind.why}. Make a key with: openssl rand -base64 32, and keep a copy of it`);
  }
  const file = path.join(folder, kind.file);
  await makeOnce(file, folder);
  if ((await stat(file)).mode & 0o077)
    throw new EncryptionKeyUnusable(`Others may read the ${kind.file.replace('-', ' ')}; run: chmod 600 ${file}`);
  return parseKeys((await readFile(file, 'utf8')).trim(), kind);
}

const unusable = ({ setting }: KeyKind, why: string) => new EncryptionKeyUnusable(`${setting} ${why}.`);

/** Written under another name first: the file is there whole or not at all, and of two that make it at once one wins. */
async function makeOnce(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(draft, file).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}
