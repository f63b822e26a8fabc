import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/**
 * A release archive is a gzipped tar of regular files. Its digest is the SHA-256 of the *uncompressed* tar, because
 * compressors differ between machines and versions while the tar, written in a fixed order with fixed metadata, does not.
 */
export const ARCHIVE_FILES = {
  manifest: 'gatehouse.json',
  bundle: 'bundle.js',
  sourceMap: 'bundle.js.map',
  readme: 'README.md',
  changelog: 'CHANGELOG.md',
  /** CycloneDX: the packages whose code is in the bundle. */
  sbom: 'sbom.cdx.json',
  /** Where it was built. */
  provenance: 'provenance.json',
} as const;

export const ARCHIVE_BYTES_MAX = 4 * 1024 * 1024;
export const ARCHIVE_UNPACKED_BYTES_MAX = 16 * 1024 * 1024;
export const ARCHIVE_ENTRIES_MAX = 64;

export const RELEASE_PAYLOAD_TYPE = 'application/vnd.gatehouse.release+json';

/** What a publisher signs: which code, under which name. */
export interface ReleaseStatement {
  publisher: string;
  name: string;
  version: string;
  /** Digest of the archive: SHA-256 of the uncompressed tar, lower-case hex. */
  digest: string;
}

/** DSSE v1 (https://github.com/secure-systems-lab/dsse): base64 payload and signatures over its pre-authentication encoding. */
export interface DsseEnvelope {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 over the DER form (SPKI) of an Ed25519 public key, lower-case hex. */
export const keyIdOf = (key: KeyObject): string =>
  sha256Hex(
    (key.type === 'public' ? key : createPublicKey(key as never)).export({ type: 'spki', format: 'der' }) as Buffer,
  );

/** DSSE pre-authentication encoding: lengths make type and payload inseparable. */
export function preAuthEncoding(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Signs a statement with an Ed25519 private key; `base` is an envelope to countersign. */
export function signRelease(statement: ReleaseStatement, privateKey: KeyObject, base?: DsseEnvelope): DsseEnvelope {
  const { publisher, name, version, digest } = statement;
  const payload = base
    ? Buffer.from(base.payload, 'base64')
    : Buffer.from(JSON.stringify({ publisher, name, version, digest }));
  const sig = sign(null, preAuthEncoding(RELEASE_PAYLOAD_TYPE, payload), privateKey).toString('base64');
  return {
    payloadType: RELEASE_PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [...(base?.signatures ?? []), { keyid: keyIdOf(privateKey), sig }],
  };
}

/** The statement of an envelope that `publicKey` signed; null where it did not, or where anything is malformed. */
export function verifyRelease(envelope: DsseEnvelope, publicKey: KeyObject): ReleaseStatement | null {
  if (envelope.payloadType !== RELEASE_PAYLOAD_TYPE) return null;
  const payload = Buffer.from(envelope.payload, 'base64');
  const keyId = keyIdOf(publicKey);
  const signed = envelope.signatures.some(
    ({ keyid, sig }) =>
      keyid === keyId &&
      verify(null, preAuthEncoding(envelope.payloadType, payload), publicKey, Buffer.from(sig, 'base64')),
  );
  if (!signed) return null;
  try {
    const { publisher, name, version, digest } = JSON.parse(payload.toString('utf8'));
    const texts = [publisher, name, version, digest];
    return texts.every((text) => typeof text === 'string') ? { publisher, name, version, digest } : null;
  } catch {
    return null;
  }
}
