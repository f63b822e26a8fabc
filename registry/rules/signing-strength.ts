import { type DsseEnvelope, RELEASE_PAYLOAD_TYPE } from '../../plugins-sdk/contract/index.ts';
import { type KeyTimes, keyEndMs } from './key-validity.ts';

/** In what a release is signed more weakly than the one before it. */
export const SIGNING_WEAKNESSES = ['signer-new', 'provenance-gone', 'signatures-fewer', 'scheme-older'] as const;
export type SigningWeakness = (typeof SIGNING_WEAKNESSES)[number];

export interface Weakness {
  kind: SigningWeakness;
  /** One sentence. */
  message: string;
}

/** A release as far as this is concerned. */
export interface SignedRelease {
  version: string;
  envelope: Pick<DsseEnvelope, 'payloadType' | 'signatures'>;
  provenance: object | null;
}

export interface DatedKey extends KeyTimes {
  keyId: string;
  /** When it was registered, in ISO 8601. */
  createdAt: string;
}

/** Schemes of signing, the oldest first. */
const SCHEMES: readonly string[] = [RELEASE_PAYLOAD_TYPE];

/**
 * What speaks against going from one release of a plugin to another without being asked. `keys` are all that its publisher ever
 * registered. A signer is trusted who signed the earlier release, or whose key was there together with that of a trusted one: keys
 * that are rotated overlap, and whoever has taken an account over after its keys were revoked cannot make one that does.
 */
export function signingWeaknesses(from: SignedRelease, to: SignedRelease, keys: readonly DatedKey[]): Weakness[] {
  const found: Weakness[] = [];
  const [before, after] = [publisherKeys(from, keys), publisherKeys(to, keys)];
  const trusted = trustedKeys(before, keys);
  const strangers = after.filter(({ keyId }) => !trusted.has(keyId));
  if (strangers.length > 0 || after.length === 0) {
    const who = strangers.map(({ keyId }) => `${keyId.slice(0, 16)}…`).join(', ') || 'nobody who is known';
    found.push({
      kind: 'signer-new',
      message: `${to.version} is signed with the key ${who}, which was not there together with a key of ${from.version}: it did not come by a rotation.`,
    });
  }
  if (from.provenance !== null && to.provenance === null) {
    found.push({
      kind: 'provenance-gone',
      message: `${from.version} said where it was built, and ${to.version} does not.`,
    });
  }
  const [signed, signs] = [from, to].map(({ envelope }) => new Set(envelope.signatures.map(({ keyid }) => keyid)).size);
  if (signs! < signed!) {
    found.push({
      kind: 'signatures-fewer',
      message: `${from.version} carries ${signed} signatures, and ${to.version} ${signs}.`,
    });
  }
  if (SCHEMES.indexOf(to.envelope.payloadType) < SCHEMES.indexOf(from.envelope.payloadType)) {
    found.push({ kind: 'scheme-older', message: `${to.version} is signed by an older scheme than ${from.version}.` });
  }
  return found;
}

/** The publisher's keys among those that signed. */
const publisherKeys = ({ envelope }: SignedRelease, keys: readonly DatedKey[]): DatedKey[] =>
  keys.filter(({ keyId }) => envelope.signatures.some(({ keyid }) => keyid === keyId));

/** Keys that were valid at one time with a trusted one are trusted, and so on. */
function trustedKeys(first: readonly DatedKey[], keys: readonly DatedKey[]): Set<string> {
  const trusted = new Set(first.map(({ keyId }) => keyId));
  const open = [...first];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    for (const other of keys) {
      if (trusted.has(other.keyId) || !overlap(key, other)) continue;
      trusted.add(other.keyId);
      open.push(other);
    }
  }
  return trusted;
}

const overlap = (a: DatedKey, b: DatedKey): boolean =>
  Date.parse(a.createdAt) < keyEndMs(b) && Date.parse(b.createdAt) < keyEndMs(a);
