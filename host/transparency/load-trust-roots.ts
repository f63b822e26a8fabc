import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A file that names a trusted registry cannot be used. The message is one sentence for the person who runs Gatehouse. */
export class TrustRootUnusable extends Error {
  override name = 'TrustRootUnusable';
}

/** The public keys of registries whose releases may be imported. Refuses with: TrustRootUnusable. */
export const loadTrustRoots = (files: readonly string[]): Promise<KeyObject[]> => Promise.all(files.map(loadRoot));

async function loadRoot(file: string): Promise<KeyObject> {
  const pem = await readFile(file, 'utf8').catch((error: Error) => {
    throw new TrustRootUnusable(`GATEHOUSE_TRUST_ROOTS names ${file}, which cannot be read: ${error.message}.`);
  });
  try {
    const key = createPublicKey(pem);
    // Of a private key node:crypto would make the public one without a word.
    if (key.asymmetricKeyType === 'ed25519' && !/PRIVATE KEY/.test(pem)) return key;
  } catch {
    // Says the same as for a key of another kind, below.
  }
  throw new TrustRootUnusable(`GATEHOUSE_TRUST_ROOTS names ${file}, which is no Ed25519 public key in PEM form.`);
}
