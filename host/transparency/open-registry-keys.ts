import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { createKeyChain, loadSigningKey, SigningKeyUnusable } from '../../registry/index.ts';
import type { Config } from '../config.ts';
import { loadTrustRoots } from './load-trust-roots.ts';

/** The registry's key of this machine, made where there is none, as long as it signs; and those of others that it trusts. Refuses with: SigningKeyUnusable, TrustRootUnusable. */
export async function openRegistryKeys(
  { signingKeyFile, trustRootFiles }: Pick<Config, 'signingKeyFile' | 'trustRootFiles'>,
  system: Knex,
  nowMs: number,
): Promise<{ signingKey: KeyObject; trustRoots: KeyObject[] }> {
  return {
    signingKey: await openSigningKey(signingKeyFile, system, nowMs),
    trustRoots: await loadTrustRoots(trustRootFiles),
  };
}

async function openSigningKey(file: string, system: Knex, nowMs: number): Promise<KeyObject> {
  const signingKey = await loadSigningKey(file);
  const chain = createKeyChain({ database: system, signingKey });
  if ((await chain.signingTimeMs(nowMs)) !== null) return signingKey;
  const { keyId } = (await chain.keys()).at(-1)!;
  throw new SigningKeyUnusable(
    `The registry's signing key ${file} has retired. Copy the file of its successor, the key ${keyId}, here.`,
  );
}
