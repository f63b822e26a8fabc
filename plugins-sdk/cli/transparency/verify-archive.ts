import type { KeyObject } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import {
  ARCHIVE_FILES,
  ARCHIVE_UNPACKED_BYTES_MAX,
  checkReleaseProof,
  type ProofStep,
  type ReleaseProof,
  type ReleaseStatement,
  sha256Hex,
  trustedKeys,
} from '../../contract/index.ts';

export interface ArchiveStep extends Omit<ProofStep, 'step'> {
  step: ProofStep['step'] | 'archive';
}

export interface VerifiedArchive {
  /** What the archive says of itself; null where it cannot be read. */
  statement: ReleaseStatement | null;
  steps: ArchiveStep[];
  passed: boolean;
}

/** Verifies a release archive by its proof, without a network; says every step. Throws nothing, whatever the bytes are. */
export async function verifyArchive(
  archive: Uint8Array,
  proof: ReleaseProof,
  registryKey: KeyObject,
): Promise<VerifiedArchive> {
  const statement = await readStatement(archive).catch(() => null);
  if (statement === null) {
    const message = 'This is no release archive: it does not unpack, or has no manifest.';
    return { statement, steps: [{ step: 'archive', passed: false, message }], passed: false };
  }
  const steps: ArchiveStep[] = [
    { step: 'archive', passed: true, message: `The archive unpacks; its digest is ${statement.digest}.` },
    ...checkReleaseProof(statement, proof, trustedKeys(registryKey, proof?.keys)),
  ];
  return { statement, steps, passed: steps.every(({ passed }) => passed) };
}

/** What an archive says of itself, with its digest. Throws where it cannot be read. */
export async function readStatement(archive: Uint8Array): Promise<ReleaseStatement> {
  const tar = gunzipSync(archive, { maxOutputLength: ARCHIVE_UNPACKED_BYTES_MAX });
  const entries = extract();
  entries.end(tar);
  let manifest: string | null = null;
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    // A second one would be a disguise; the digest covers it, but which of the two would be shown?
    if (entry.header.name === ARCHIVE_FILES.manifest) {
      if (manifest !== null) throw new Error('two manifests');
      manifest = Buffer.concat(chunks).toString('utf8');
    }
  }
  const { publisher, name, version } = JSON.parse(manifest!) as Record<string, unknown>;
  const texts = [publisher, name, version];
  if (!texts.every((text): text is string => typeof text === 'string')) throw new Error('no names');
  return { publisher: texts[0]!, name: texts[1]!, version: texts[2]!, digest: sha256Hex(tar) };
}
