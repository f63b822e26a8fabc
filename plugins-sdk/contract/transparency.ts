import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.ts';
import { type KeyLink, keyOfTime, type RegistryKeys } from './registry-keys.ts';
import { type DsseEnvelope, keyIdOf, type ReleaseStatement, sha256Hex } from './release.ts';

/** Which form entries of the transparency log have; part of every one. */
export const LOG_ENTRY_VERSION = 1;

/**
 * A release by one number that tells nothing to whoever does not hold it: SHA-256 of the canonical JSON of its statement. So an entry
 * can name a release that nobody has approved yet.
 */
export const statementDigest = ({ publisher, name, version, digest }: ReleaseStatement): string =>
  sha256Hex(JSON.stringify({ digest, name, publisher, version }));

/** An entry as it is read: `v`, `at` and `event` always, the rest as the event has it. */
export interface LogEntry {
  v: number;
  at: string;
  event: string;
  /** `<publisher>/<name>`. */
  plugin?: string;
  version?: string;
  digest?: string;
  /** See `statementDigest`. */
  release?: string;
  publisher?: string;
  keyId?: string;
  successorId?: string;
  retiresAt?: string;
}

/** The whole log in one number, as the registry vouches for it. */
export interface SignedTreeHead {
  /** How many entries. */
  size: number;
  /** Lower-case hex. */
  root: string;
  /** ISO 8601. */
  signedAt: string;
  keyId: string;
  /** Ed25519, base64. */
  signature: string;
}

/** That an entry is in the tree of a head. */
export interface LogProof {
  /** Canonical JSON, exactly what was hashed. */
  entry: string;
  index: number;
  /** Lower-case hex, from the leaf to the root. */
  path: string[];
}

/** Everything that a release needs to be checked without a network, but for the archive and the registry's key. */
export interface ReleaseProof {
  version: 1;
  envelope: DsseEnvelope;
  /** What the publisher signed with, and that the key is theirs. */
  publisherKey: { publicKeyPem: string; proof: LogProof };
  /** That the registry approved the release in public. */
  approval: LogProof;
  /** Both proofs are about this one. */
  head: SignedTreeHead;
  /** How the registry came from key to key; absent where it is an older one, or has had one key only. */
  keys?: KeyLink[];
}

const treeHeadText = ({ size, root, signedAt }: Pick<SignedTreeHead, 'size' | 'root' | 'signedAt'>): Buffer =>
  Buffer.from(`gatehouse transparency head\n${size}\n${root}\n${signedAt}\n`);

export function signTreeHead(
  head: Pick<SignedTreeHead, 'size' | 'root' | 'signedAt'>,
  privateKey: KeyObject,
): SignedTreeHead {
  const { size, root, signedAt } = head;
  const signature = sign(null, treeHeadText(head), privateKey).toString('base64');
  return { size, root, signedAt, keyId: keyIdOf(createPublicKey(privateKey as never)), signature };
}

const HEX_32 = /^[0-9a-f]{64}$/;
const STEPS_MAX = 64;

/** Whether one of these keys signed the head, in the time in which it signs. Anything malformed is no. */
export function isTreeHeadOf(head: SignedTreeHead, keys: RegistryKeys): boolean {
  const { size, root, signedAt, keyId, signature } = head;
  const key = keyOfTime(keys, keyId, signedAt);
  return (
    key !== null &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    [root, signedAt, keyId, signature].every((text) => typeof text === 'string') &&
    HEX_32.test(root) &&
    !Number.isNaN(Date.parse(signedAt)) &&
    verify(null, treeHeadText(head), key, Buffer.from(signature, 'base64'))
  );
}

const hashesOf = (path: unknown): Buffer[] | null =>
  Array.isArray(path) && path.length <= STEPS_MAX && path.every((step) => typeof step === 'string' && HEX_32.test(step))
    ? path.map((step) => Buffer.from(step, 'hex'))
    : null;

/** Whether the log of this head has the entry at this place. The head's signature is another question. */
export function isInLog({ entry, index, path }: LogProof, head: SignedTreeHead): boolean {
  const steps = hashesOf(path);
  if (steps === null || typeof entry !== 'string') return false;
  const root = Buffer.from(head.root, 'hex');
  return verifyInclusion({ leaf: leafHash(entry), index, size: head.size, path: steps, root });
}

/** Whether the log of `later` is that of `earlier` with entries added at its end, and nothing else. */
export function isExtensionOf(
  earlier: Pick<SignedTreeHead, 'size' | 'root'>,
  later: Pick<SignedTreeHead, 'size' | 'root'>,
  path: readonly string[],
): boolean {
  const steps = hashesOf(path);
  return (
    steps !== null &&
    verifyConsistency({
      first: earlier.size,
      second: later.size,
      firstRoot: Buffer.from(earlier.root, 'hex'),
      secondRoot: Buffer.from(later.root, 'hex'),
      path: steps,
    })
  );
}

/** Null where the text is no entry of a version that is known. */
export function readLogEntry(text: string): LogEntry | null {
  try {
    const entry = JSON.parse(text) as LogEntry | null;
    const known = entry?.v === LOG_ENTRY_VERSION && typeof entry.at === 'string' && typeof entry.event === 'string';
    return known ? entry : null;
  } catch {
    return null;
  }
}
