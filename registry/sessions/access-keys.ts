import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AccessKeyStore, StoredAccessKey } from './access-key-store.ts';

const DAY_MS = 24 * 3_600_000;
/** A key signs for so long, and then another does. */
export const KEY_SIGNS_MS = 30 * DAY_MS;
/** Afterwards it is there for the tokens that it has signed, and for hosts that have not noticed yet. */
export const KEY_KEEP_MS = KEY_SIGNS_MS + DAY_MS;
/** A kid that nobody knows makes a host look for new keys, but not every time that somebody makes one up. */
const LOOK_MS_MIN = 5_000;

export interface AccessKeys {
  /** The one that signs now; made where there is none. */
  signing(): Promise<{ id: string; privateKey: KeyObject }>;
  /** Null where no key has this id. */
  verifying(id: string): Promise<KeyObject | null>;
}

export interface AccessKeyPorts {
  keys: AccessKeyStore;
  seal(keyId: string, text: string): Buffer;
  open(keyId: string, sealed: Buffer): string;
  nowMs: () => number;
  newId: () => string;
}

/** P-256 keys that every host over the database shares, and that follow one another. */
export function createAccessKeys({ keys, seal, open, nowMs, newId }: AccessKeyPorts): AccessKeys {
  let known: StoredAccessKey[] = [];
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let privateOf: { id: string; privateKey: KeyObject } | undefined;
  const publicOf = new Map<string, KeyObject>();

  const look = async () => {
    lookedAtMs = nowMs();
    known = await keys.list();
    publicOf.clear();
    for (const { id, publicKeyPem } of known) publicOf.set(id, createPublicKey(publicKeyPem));
  };
  const signs = (key: StoredAccessKey | undefined): key is StoredAccessKey =>
    key !== undefined && key.createdAt.getTime() > nowMs() - KEY_SIGNS_MS;
  const make = async () => {
    const id = newId();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await keys.insertFirstSince(
      {
        id,
        sealed: seal(id, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
        publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
        createdAt: new Date(nowMs()),
      },
      new Date(nowMs() - KEY_SIGNS_MS),
    );
    await look();
  };

  return {
    async signing() {
      if (!signs(known[0])) await look();
      if (!signs(known[0])) await make();
      const { id, sealed } = known[0]!;
      if (privateOf?.id !== id) privateOf = { id, privateKey: createPrivateKey(open(id, sealed)) };
      return privateOf;
    },
    async verifying(id) {
      if (!publicOf.has(id) && nowMs() - lookedAtMs >= LOOK_MS_MIN) await look();
      const key = known.find((each) => each.id === id);
      return key && key.createdAt.getTime() > nowMs() - KEY_KEEP_MS ? publicOf.get(id)! : null;
    },
  };
}
