import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type KeyLink, keyOfTime, type RegistryKeys, trustedKeys } from './registry-keys.ts';
import {
  ARCHIVE_BYTES_MAX,
  type DsseEnvelope,
  keyIdOf,
  preAuthEncoding,
  type ReleaseStatement,
  sha256Hex,
} from './release.ts';
import { checkReleaseProof, type ProofStep } from './release-proof.ts';
import type { ReleaseProof } from './transparency.ts';

export const STATUS_PAYLOAD_TYPE = 'application/vnd.gatehouse.release-status+json';
const STATUS_CHARS_MAX = 64 * 1024;

interface StatusNotice {
  at: string;
  reason: string;
  replacement: string | null;
}

/** What a registry says of a release at one time, to those who cannot ask it again. */
export interface ReleaseStatus {
  v: 1;
  release: ReleaseStatement;
  /** SHA-256 of the archive as it comes along, lower-case hex. */
  archiveSha256: string;
  /** The publisher's name for people. */
  publisherName: string;
  /** Of `registry/rules/release-states.ts`: published, deprecated, yanked or suspended. */
  state: 'published' | 'deprecated' | 'yanked' | 'suspended';
  /** When the registry received it, and approved it: ISO 8601. */
  createdAt: string;
  reviewedAt: string;
  yanked: StatusNotice | null;
  deprecated: StatusNotice | null;
  blocked: { at: string; reason: string } | null;
  /** The key that its publisher signed it with, as it stood. */
  publisherKey: {
    keyId: string;
    label: string;
    revokedAt: string | null;
    retiresAt: string | null;
    compromisedSince: string | null;
  };
  exportedAt: string;
}

/** A release for a place without a network, all but its archive. */
export interface ReleaseExport {
  version: 1;
  /** A ReleaseStatus, signed by the registry. */
  status: DsseEnvelope;
  proof: ReleaseProof;
  /** How the registry came from key to key, so that whoever trusts an older or newer one can follow. */
  keys: KeyLink[];
}

export function signStatus(status: ReleaseStatus, privateKey: KeyObject): DsseEnvelope {
  const payload = Buffer.from(JSON.stringify(status));
  const sig = sign(null, preAuthEncoding(STATUS_PAYLOAD_TYPE, payload), privateKey).toString('base64');
  return {
    payloadType: STATUS_PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: keyIdOf(createPublicKey(privateKey as never)), sig }],
  };
}

/** What a status says, whoever signed it; null where it cannot be read. */
export function readStatus(envelope: DsseEnvelope): ReleaseStatus | null {
  try {
    if (envelope.payloadType !== STATUS_PAYLOAD_TYPE || envelope.payload.length > STATUS_CHARS_MAX) return null;
    const status = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')) as ReleaseStatus;
    const { release, publisherKey, ...flat } = status;
    const texts = [
      ...[release.publisher, release.name, release.version, release.digest, publisherKey.keyId, publisherKey.label],
      ...[flat.archiveSha256, flat.publisherName, flat.state, flat.createdAt, flat.reviewedAt, flat.exportedAt],
    ];
    const times = [flat.createdAt, flat.reviewedAt, flat.exportedAt];
    const ends = [publisherKey.revokedAt, publisherKey.retiresAt, publisherKey.compromisedSince];
    const fits =
      flat.v === 1 &&
      texts.every((text) => typeof text === 'string' && text.length <= 1_000) &&
      times.every((time) => !Number.isNaN(Date.parse(time))) &&
      ends.every((end) => end === null || !Number.isNaN(Date.parse(end))) &&
      [flat.yanked, flat.deprecated, flat.blocked].every((notice) => notice === null || isNotice(notice)) &&
      ['published', 'deprecated', 'yanked', 'suspended'].includes(flat.state);
    return fits ? status : null;
  } catch {
    return null;
  }
}

const isNotice = ({ at, reason }: { at: string; reason: string }): boolean =>
  typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof reason === 'string';

export interface ExportStep extends Omit<ProofStep, 'step'> {
  step: ProofStep['step'] | 'trust' | 'status' | 'archive-bytes';
}

export interface CheckedExport {
  status: ReleaseStatus | null;
  steps: ExportStep[];
  passed: boolean;
}

/**
 * Checks an exported release without a network against the one key that is trusted, which must come from elsewhere. `found` is what the
 * archive itself says. All steps are looked at. Throws nothing, whatever the parts are.
 */
export function checkReleaseExport(
  { found, archive }: { found: ReleaseStatement; archive: Uint8Array },
  exported: ReleaseExport,
  trustRoot: KeyObject,
): CheckedExport {
  const keys = trustedKeys(trustRoot, exported?.keys);
  const status = readStatus(exported?.status);
  const steps: ExportStep[] = [
    {
      step: 'trust',
      passed: true,
      message: `The trusted key is ${keyIdOf(trustRoot)}${keys.length > 1 ? `; ${keys.length - 1} more follow from it` : ''}.`,
    },
    statusStep(exported, status, keys),
    archiveStep({ found, archive }, status),
    ...checkReleaseProof(found, exported?.proof, keys),
  ];
  return { status, steps, passed: steps.every(({ passed }) => passed) };
}

function statusStep(
  exported: ReleaseExport,
  status: ReleaseStatus | null,
  keys: ReturnType<typeof trustedKeys>,
): ExportStep {
  const step = 'status' as const;
  if (status === null) return { step, passed: false, message: 'The signed status is missing or malformed.' };
  const signed = isStatusBy(exported.status, keys);
  // Each of them may be proven and be another one: then the times of one key would be taken for those of the other.
  if (signed && keyIdIn(exported.proof) !== status.publisherKey.keyId) {
    return { step, passed: false, message: 'The status is about another key of the publisher than the proof.' };
  }
  return signed
    ? { step, passed: true, message: `The registry said on ${status.exportedAt}: it is ${status.state}.` }
    : { step, passed: false, message: 'The status is not signed with a key that follows from the trusted one.' };
}

/** Whether one of these keys signed the status, in the time in which it signs. Anything malformed is no. */
export function isStatusBy(envelope: DsseEnvelope, keys: RegistryKeys): boolean {
  const status = readStatus(envelope);
  if (status === null || !Array.isArray(envelope.signatures)) return false;
  const text = preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'));
  return envelope.signatures.some((signature) => {
    const { keyid, sig } = signature ?? {};
    if (typeof keyid !== 'string' || typeof sig !== 'string') return false;
    const key = keyOfTime(keys, keyid, status.exportedAt);
    return key !== null && verify(null, text, key, Buffer.from(sig, 'base64'));
  });
}

/** Null where there is none. */
function keyIdIn(proof: ReleaseProof): string | null {
  try {
    return keyIdOf(createPublicKey(proof.publisherKey.publicKeyPem));
  } catch {
    return null;
  }
}

function archiveStep(
  { found, archive }: { found: ReleaseStatement; archive: Uint8Array },
  status: ReleaseStatus | null,
): ExportStep {
  const step = 'archive-bytes' as const;
  const fields = ['publisher', 'name', 'version', 'digest'] as const;
  const other = status === null ? 'digest' : fields.find((field) => status.release[field] !== found[field]);
  if (other !== undefined) {
    return { step, passed: false, message: `The status is about another release: its ${other} differs.` };
  }
  const sha256 = sha256Hex(archive);
  return archive.length <= ARCHIVE_BYTES_MAX && status!.archiveSha256 === sha256
    ? { step, passed: true, message: `The archive has the bytes that were exported (SHA-256 ${sha256}).` }
    : { step, passed: false, message: 'The archive is not the file that was exported.' };
}
