import { createPublicKey } from 'node:crypto';
import {
  asTrusted,
  type DsseEnvelope,
  RELEASE_PAYLOAD_TYPE,
  type RegistryKeys,
  type ReleaseStatement,
  verifyRelease,
} from '../../plugins-sdk/contract/index.ts';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const PAYLOAD_CHARS_MAX = 4_096;
const SIGNATURES_MAX = 8;

/** A key as the rules need it; revoked ones are never passed in. */
export interface VerifyingKey {
  keyId: string;
  publicKeyPem: string;
}

/** Whether a stranger's value has the exact shape of a release's envelope. */
export function isEnvelope(value: unknown): value is DsseEnvelope {
  const { payloadType, payload, signatures } = (value ?? {}) as Partial<DsseEnvelope>;
  return (
    payloadType === RELEASE_PAYLOAD_TYPE &&
    typeof payload === 'string' &&
    payload.length <= PAYLOAD_CHARS_MAX &&
    BASE64.test(payload) &&
    Array.isArray(signatures) &&
    signatures.length >= 1 &&
    signatures.length <= SIGNATURES_MAX &&
    signatures.every(
      (signature) =>
        typeof signature?.keyid === 'string' &&
        /^[0-9a-f]{64}$/.test(signature.keyid) &&
        typeof signature.sig === 'string' &&
        signature.sig.length <= 100 &&
        BASE64.test(signature.sig),
    )
  );
}

/** What one of `keys` signed, with the envelope reduced to that signature; null where none of them did. */
export function verifiedBy(
  envelope: DsseEnvelope,
  keys: VerifyingKey[],
): { statement: ReleaseStatement; envelope: DsseEnvelope } | null {
  for (const { keyId, publicKeyPem } of keys) {
    // One by one: what is kept must be the signature that is right, not another one with the same name.
    for (const signature of envelope.signatures.filter(({ keyid }) => keyid === keyId)) {
      const { payloadType, payload } = envelope;
      const reduced = { payloadType, payload, signatures: [signature] };
      const statement = verifyRelease(reduced, createPublicKey(publicKeyPem));
      if (statement) return { statement, envelope: reduced };
    }
  }
  return null;
}

/** The first thing in which a statement differs from what it is about, as half a sentence; null where all agree. */
export function statementFault(signed: ReleaseStatement, found: ReleaseStatement): string | null {
  for (const field of ['publisher', 'name', 'version', 'digest'] as const) {
    if (signed[field] !== found[field]) return `${field} "${signed[field]}", but the archive has "${found[field]}"`;
  }
  return null;
}

/** Whether a published release's envelope holds a publisher's and the registry's signature over the same statement. */
export function isCountersigned(
  envelope: DsseEnvelope,
  keys: { publisher: VerifyingKey[]; registry: RegistryKeys },
  found: ReleaseStatement,
): boolean {
  if (!isEnvelope(envelope)) return false;
  const byPublisher = verifiedBy(envelope, keys.publisher)?.statement;
  // By whichever key it had then: what was countersigned stays so when the registry goes on under another one.
  const byRegistry = asTrusted(keys.registry)
    .map(({ key }) => verifyRelease(envelope, key))
    .find((statement) => statement !== null);
  return (
    byPublisher !== undefined &&
    byRegistry !== undefined &&
    statementFault(byPublisher, found) === null &&
    statementFault(byRegistry, found) === null
  );
}

/** The keys that an envelope claims to be signed with. */
export const claimedKeyIds = (envelope: DsseEnvelope): string[] => envelope.signatures.map(({ keyid }) => keyid);
