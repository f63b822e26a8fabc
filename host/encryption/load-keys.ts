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
export function parseKeys(text: string): WrappingKeys {
  const keys = new Map<number, Buffer>();
  for (const each of text.split(',')) {
    const found = KEY.exec(each.trim())?.groups;
    if (!found)
      throw unusable('must be 32 bytes as base64 (make one with: openssl rand -base64 32), or <version>:<base64>,…');
    const version = Number(found.version ?? 1);
    if (keys.has(version)) throw unusable(`names version ${version} twice`);
    keys.set(version, Buffer.from(found.key!, 'base64'));
  }
  return keys;
}

/**
 * The keys of a host: those of the configuration, else, where there is a folder for it, those of the file `encryption-key` there,
 * which is made on first use and which only its owner may read. Refuses with: EncryptionKeyUnusable.
 */
export async function loadKeys({
  configured,
  folder,
}: {
  configured: string | null;
  folder: string | null;
}): Promise<WrappingKeys> {
  if (configured !== null) return parseKeys(configured);
  if (folder === null) {
    throw unusable(
      'is missing: secrets are stored encrypted. Make a key with: openssl rand -base64 32, and keep a copy of it',
    );
  }
  const file = path.join(folder, 'encryption-key');
  await makeOnce(file, folder);
  if ((await stat(file)).mode & 0o077)
    throw new EncryptionKeyUnusable(`Others may read the encryption key; run: chmod 600 ${file}`);
  return parseKeys((await readFile(file, 'utf8')).trim());
}

const unusable = (why: string) => new EncryptionKeyUnusable(`GATEHOUSE_ENCRYPTION_KEY ${why}.`);

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
