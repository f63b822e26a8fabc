import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { keyIdOf, type SignedTreeHead } from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import { createKeyChain } from '../key-chain.ts';
import type { Transparency } from './contract.ts';
import { createLogReaderStore } from './log-reader-store.ts';
import { consistencyPath, inclusionProof } from './prove.ts';
import { proveRelease, requireLogged } from './prove-release.ts';
import { readEntries } from './read-log.ts';
import { type HeadPorts, signTreeHead } from './sign-tree-head.ts';
import { verifyLog } from './verify-log.ts';

export interface TransparencyPorts extends Pick<HeadPorts, 'keptHead' | 'keepHead' | 'nowMs'> {
  /** Sees everything: what is shown is in the log, and therefore public. */
  system: Knex;
  /** The registry's. */
  signingKey: KeyObject;
}

/** The transparency log over one database. */
export function createTransparency(ports: TransparencyPorts): Transparency {
  const { system, signingKey } = ports;
  const store = createLogReaderStore(system);
  const publicKey = createPublicKey(signingKey as never);
  const keyChain = createKeyChain({ database: system, signingKey });
  const head = signTreeHead({ ...ports, store, keyChain });
  const prove = proveRelease({ store, head, keyChain });
  /** Up to which size a proof is: the one asked for, or that of the newest head. */
  const sizeOf = async (asked: number | undefined): Promise<{ size: number; newest: SignedTreeHead | null }> => {
    if (asked === undefined) {
      const newest = await head();
      return { size: newest.size, newest };
    }
    if (asked > ((await store.tree())?.size ?? 0)) throw new RegistryRefusal('log-entry-unknown');
    return { size: asked, newest: null };
  };
  return {
    publicKey: {
      keyId: keyIdOf(publicKey),
      publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    },
    keyLinks: keyChain.links,
    head,
    entries: readEntries(store),
    inclusion: async ({ index, size: asked }) => {
      const { size, newest } = await sizeOf(asked);
      return { ...(await inclusionProof(store, index, size)), size, head: newest };
    },
    consistency: async ({ from, to: asked }) => {
      const { size: to } = await sizeOf(asked);
      if (from > to) throw new RegistryRefusal('log-entry-unknown');
      return { from, to, path: await consistencyPath(store, from, to) };
    },
    proveRelease: (digest) => prove(digest),
    proveStored: (digest) => prove(digest, { evenStopped: true }),
    requireLogged: requireLogged({ store, head, keyChain }),
    verify: (kept) =>
      system.transaction(
        async (snapshot) => {
          await snapshot.raw('set local statement_timeout = 0');
          const registryKeys = await createKeyChain({ database: snapshot, signingKey }).keys();
          return verifyLog({ store: createLogReaderStore(snapshot), registryKeys })(kept);
        },
        { isolationLevel: 'repeatable read', readOnly: true },
      ),
  };
}
