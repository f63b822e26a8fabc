import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The registry's key cannot be used. The message is one sentence for the person who runs Gatehouse. */
export class SigningKeyUnusable extends Error {
  override name = 'SigningKeyUnusable';
}

/**
 * The registry's Ed25519 private key from a PKCS #8 PEM file that only its owner may read; made where it is missing.
 * Of two processes that make it at once one wins, and both return its key. Refuses with: SigningKeyUnusable.
 */
export async function loadSigningKey(path: string): Promise<KeyObject> {
  try {
    return await readKey(path);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw explained(error as Error, path);
  }
  try {
    await createKeyFile(path);
    return await readKey(path);
  } catch (error) {
    throw explained(error as Error, path);
  }
}

const explained = (error: Error, path: string): Error =>
  error instanceof SigningKeyUnusable
    ? error
    : new SigningKeyUnusable(`The registry's signing key ${path} cannot be used: ${error.message}.`);

async function readKey(path: string): Promise<KeyObject> {
  const { mode } = await stat(path);
  if (mode & 0o077) {
    throw new SigningKeyUnusable(`Others may read the registry's signing key; run: chmod 600 ${path}`);
  }
  const key = createPrivateKey(await readFile(path));
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new SigningKeyUnusable(`The registry's signing key ${path} is not an Ed25519 key; restore the right file.`);
}

/** Written and synced under another name first: a key file is there whole or not at all. */
async function createKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}
