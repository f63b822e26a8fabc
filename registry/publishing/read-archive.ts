import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { listingFaults } from '../../plugins-sdk/contract/check-listing.ts';
import {
  ARCHIVE_BYTES_MAX,
  ARCHIVE_ENTRIES_MAX,
  ARCHIVE_FILES,
  ARCHIVE_UNPACKED_BYTES_MAX,
  BUNDLE_BYTES_MAX,
  checkManifest,
  type DocumentFault,
  type Manifest,
  sha256Hex,
} from '../../plugins-sdk/contract/index.ts';
import type { Provenance } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { clashFault, nameFault } from '../rules/archive-names.ts';
import { jsonDepth, unstorableTexts } from '../rules/stored-text.ts';

/** Source code shrinks to a tenth, its map to a thirtieth. What shrinks to less is made to fill a disk. */
const RATIO_MAX = 100;
const RATIO_FREE_BYTES = 1024 * 1024;
const MANIFEST_BYTES_MAX = 256 * 1024;
const PROVENANCE_BYTES_MAX = 4 * 1024;
const MANIFEST_DEPTH_MAX = 32;
const TAR_BLOCK_BYTES = 512;

/** A release archive after every check that needs nothing but itself. */
export interface ReadArchive {
  manifest: Manifest;
  /** SHA-256 of the uncompressed tar, lower-case hex. */
  digest: string;
  code: string;
  bundleDigest: string;
  bundleBytes: number;
  sourceMap: string | null;
  provenance: Provenance | null;
  /** Every file of the archive by its name. */
  files: ReadonlyMap<string, Buffer>;
}

/**
 * Reads a release archive from a stranger. Inflating stops at the first byte over a limit, and every byte of the tar is
 * accounted for: headers and bodies of regular files without gaps, then zeros, so that no two readers see two archives.
 * Refuses with: release-archive-invalid (the message names the entry), release-manifest-invalid (all faults at once).
 */
export async function readArchive(archive: Buffer): Promise<ReadArchive> {
  const tar = await inflate(archive);
  const files = await readEntries(tar);
  const manifest = readManifest(fileOf(files, ARCHIVE_FILES.manifest));
  const bundle = fileOf(files, ARCHIVE_FILES.bundle);
  if (bundle.length === 0) refuse('is empty', ARCHIVE_FILES.bundle);
  if (bundle.length > BUNDLE_BYTES_MAX) {
    refuse(`is larger than ${BUNDLE_BYTES_MAX} bytes`, ARCHIVE_FILES.bundle);
  }
  const map = files.get(ARCHIVE_FILES.sourceMap);
  const provenance = files.get(ARCHIVE_FILES.provenance);
  return {
    manifest,
    digest: sha256Hex(tar),
    code: textOf(bundle, ARCHIVE_FILES.bundle),
    bundleDigest: sha256Hex(bundle),
    bundleBytes: bundle.length,
    sourceMap: map === undefined ? null : textOf(map, ARCHIVE_FILES.sourceMap),
    provenance: provenance === undefined ? null : readProvenance(provenance),
    files,
  };
}

/** Checks what listings show of a release; for new releases only, since what was published once goes on to run. Refuses with: release-archive-invalid. */
export function checkListing({ manifest, files }: Pick<ReadArchive, 'manifest' | 'files'>): void {
  const faults = listingFaults(manifest, files);
  const [first] = faults;
  if (first === undefined) return;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more files have faults)` : '';
  refuse(`${first.reason}${more}`, first.file);
}

/** Every file of an archive by its name. Refuses with: release-archive-invalid. */
export const archiveFiles = async (archive: Buffer): Promise<Map<string, Buffer>> =>
  readEntries(await inflate(archive));

/** With an entry the sentence is about that entry. */
function refuse(reason: string, entry?: string): never {
  const shown = entry === undefined ? undefined : entry.slice(0, 120);
  throw new RegistryRefusal(
    'release-archive-invalid',
    shown === undefined ? `The archive ${reason}.` : `The entry ${JSON.stringify(shown)} of the archive ${reason}.`,
    shown === undefined ? {} : { entry: shown },
  );
}

async function inflate(archive: Buffer): Promise<Buffer> {
  if (archive.length > ARCHIVE_BYTES_MAX) refuse(`is larger than ${ARCHIVE_BYTES_MAX} bytes`);
  const byRatio = Math.max(RATIO_FREE_BYTES, archive.length * RATIO_MAX);
  const maxOutputLength = Math.min(ARCHIVE_UNPACKED_BYTES_MAX, byRatio);
  const { buffer, consumed } = await new Promise<{ buffer: Buffer; consumed: number }>((resolve, reject) => {
    gunzip(archive, { maxOutputLength, info: true } as never, (error, result) => {
      if (error) return reject(error);
      // With `info` the result is not the documented buffer alone.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      resolve({ buffer, consumed: engine.bytesWritten });
    });
  }).catch((error: { code?: string }) => {
    if (error.code !== 'ERR_BUFFER_TOO_LARGE') return refuse('is not a complete gzip stream');
    return maxOutputLength < ARCHIVE_UNPACKED_BYTES_MAX
      ? refuse(`unpacks to more than ${RATIO_MAX} times its size`)
      : refuse(`unpacks to more than ${ARCHIVE_UNPACKED_BYTES_MAX} bytes`);
  });
  if (consumed !== archive.length) refuse('has bytes after the end of its gzip stream');
  return buffer;
}

async function readEntries(tar: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const seen = new Map<string, 'file' | 'folder'>();
  const entries = extract();
  entries.end(tar);
  let end = 0;
  try {
    for await (const entry of entries) {
      const { name, type, size = 0, byteOffset } = entry.header as typeof entry.header & { byteOffset: number };
      if (files.size === ARCHIVE_ENTRIES_MAX) refuse(`has more than ${ARCHIVE_ENTRIES_MAX} entries`);
      if (type !== 'file') refuse(`is a ${type ?? 'thing of unknown type'}; only regular files are allowed`, name);
      const fault = nameFault(name) ?? clashFault(name, seen);
      if (fault !== null) refuse(fault, name);
      if (byteOffset !== end + TAR_BLOCK_BYTES) refuse('has an extended header or a gap before it', name);
      end = byteOffset + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
      if (end > tar.length) refuse('is cut off', name);
      if (!isZero(tar.subarray(byteOffset + size, end))) refuse('has bytes after its end', name);
      files.set(name, tar.subarray(byteOffset, byteOffset + size));
      entry.resume();
    }
  } catch (error) {
    if (error instanceof RegistryRefusal) throw error;
    refuse('is not a well-formed tar');
  }
  if (!isZero(tar.subarray(end))) refuse('has bytes after its last entry');
  return files;
}

const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

const fileOf = (files: Map<string, Buffer>, name: string): Buffer => files.get(name) ?? refuse(`has no file "${name}"`);

function textOf(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('is not valid UTF-8', name);
  }
}

/** Shown to operators as it is, so it is small and plain. */
function readProvenance(bytes: Buffer): Provenance {
  const { provenance: name } = ARCHIVE_FILES;
  let value: Partial<Record<keyof Provenance, unknown>> | null = null;
  if (bytes.length <= PROVENANCE_BYTES_MAX) {
    try {
      value = JSON.parse(textOf(bytes, name));
    } catch {
      // Said below, as for JSON of another shape.
    }
  }
  const { repository, commit, builder } = value ?? {};
  const fits =
    typeof repository === 'string' &&
    /^https:\/\/[!-~]{1,500}$/.test(repository) &&
    typeof commit === 'string' &&
    /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit) &&
    typeof builder === 'string' &&
    /^[ -~]{1,500}$/.test(builder);
  if (fits && Object.keys(value!).length === 3) return { repository, commit, builder };
  return refuse('is not {"repository":"https://…","commit":"<full id>","builder":"…"} in plain ASCII', name);
}

function readManifest(bytes: Buffer): Manifest {
  const { manifest: name } = ARCHIVE_FILES;
  if (bytes.length > MANIFEST_BYTES_MAX) refuse(`is larger than ${MANIFEST_BYTES_MAX} bytes`, name);
  const text = textOf(bytes, name);
  if (jsonDepth(text) > MANIFEST_DEPTH_MAX) refuse(`is nested more than ${MANIFEST_DEPTH_MAX} levels deep`, name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON: ${(error as Error).message}`, name);
  }
  const unstorable = unstorableTexts(value);
  if (unstorable.length > 0) refuseManifest(unstorable);
  const checked = checkManifest(value);
  return checked.ok ? checked.value : refuseManifest(checked.faults);
}

function refuseManifest(faults: DocumentFault[]): never {
  const first = faults[0]!;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  throw new RegistryRefusal(
    'release-manifest-invalid',
    `The manifest has a fault at "${first.pointer}": it ${first.message}${more}.`,
    { faults },
  );
}
