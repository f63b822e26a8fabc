import { extract } from 'tar-stream';
import { ARCHIVE_BYTES_MAX, type ReleaseExport, readStatus, sha256Hex } from '../../contract/index.ts';
import { CliError } from '../errors.ts';
import { writeTar } from '../write-archive.ts';

/**
 * A bundle is a tar that is not compressed: `bundle.json` and one `releases/<SHA-256 of the file>.gpk` for each release. What holds it together is
 * signed: the index alone proves nothing.
 */
export interface BundledRelease {
  exported: ReleaseExport;
  archive: Buffer;
}

const INDEX = 'bundle.json';
const RELEASES_MAX = 64;
const INDEX_BYTES_MAX = 16 * 1024 * 1024;
const BUNDLE_BYTES_MAX = INDEX_BYTES_MAX + RELEASES_MAX * (ARCHIVE_BYTES_MAX + 1024) + 10_240;
const BLOCK_BYTES = 512;
const ARCHIVE_NAME = /^releases\/([0-9a-f]{64})\.gpk$/;

/** Release archives are gzipped; bundles are not. */
export const isBundle = (bytes: Uint8Array): boolean => !(bytes[0] === 0x1f && bytes[1] === 0x8b);

/** Requirements first: so they are imported. */
export const writeBundle = (releases: readonly BundledRelease[]): Promise<Buffer> =>
  writeTar({
    [INDEX]: `${JSON.stringify({ version: 1, releases: releases.map(({ exported, archive }) => ({ archive: sha256Hex(archive), exported })) })}\n`,
    ...Object.fromEntries(releases.map(({ archive }) => [`releases/${sha256Hex(archive)}.gpk`, archive])),
  });

const refuse = (message: string): never => {
  throw new CliError('bundle-invalid', `The bundle ${message}`);
};

/** Reads what a stranger wrote: every byte is accounted for, and nothing is written anywhere. Refuses with: bundle-invalid. */
export async function readBundle(bytes: Buffer): Promise<BundledRelease[]> {
  if (bytes.length > BUNDLE_BYTES_MAX) refuse(`is larger than ${BUNDLE_BYTES_MAX} bytes.`);
  const files = await readFiles(bytes);
  const index = files.get(INDEX) ?? refuse(`has no ${INDEX}; is it a bundle?`);
  files.delete(INDEX);
  const releases = readIndex(index).map(({ archive: sha256, exported }) => {
    const name = `releases/${sha256}.gpk`;
    const archive = files.get(name) ?? refuse(`lacks the archive ${name}.`);
    if (sha256Hex(archive) !== sha256) refuse(`holds another file under ${name} than its name says.`);
    files.delete(name);
    return { exported, archive };
  });
  const [stray] = files.keys();
  if (stray !== undefined) refuse(`holds ${JSON.stringify(stray)}, which its index does not name.`);
  return releases;
}

function readIndex(text: Buffer): { archive: string; exported: ReleaseExport }[] {
  let index: { version?: unknown; releases?: unknown } | null = null;
  try {
    index = JSON.parse(text.toString('utf8'));
  } catch {
    // Said below, as for JSON of another kind.
  }
  const releases = index?.releases;
  if (index?.version !== 1 || !Array.isArray(releases)) {
    return refuse(`has an ${INDEX} of a version that this gate does not know, or that is cut off.`);
  }
  if (releases.length === 0 || releases.length > RELEASES_MAX) {
    return refuse(`names ${releases.length} releases; there may be 1 to ${RELEASES_MAX}.`);
  }
  for (const { archive, exported } of releases.map((each) => each ?? {})) {
    const fits =
      typeof archive === 'string' &&
      /^[0-9a-f]{64}$/.test(archive) &&
      exported?.version === 1 &&
      readStatus(exported.status) !== null &&
      typeof exported.proof === 'object' &&
      Array.isArray(exported.keys);
    if (!fits) return refuse(`has an entry in ${INDEX} that lacks a part, or has one of another form.`);
  }
  return releases;
}

async function readFiles(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  entries.end(bytes);
  let end = 0;
  try {
    for await (const entry of entries) {
      const { name, type, size = 0, byteOffset } = entry.header as typeof entry.header & { byteOffset: number };
      const shown = JSON.stringify(name.slice(0, 120));
      if (type !== 'file') refuse(`holds ${shown}, which is a ${type}; only files are allowed.`);
      if (name !== INDEX && !ARCHIVE_NAME.test(name)) refuse(`holds ${shown}, which no bundle has.`);
      if (files.has(name)) refuse(`holds ${shown} twice.`);
      if (files.size > RELEASES_MAX) refuse(`holds more than ${RELEASES_MAX} releases.`);
      if (size > (name === INDEX ? INDEX_BYTES_MAX : ARCHIVE_BYTES_MAX)) refuse(`holds ${shown}, which is too large.`);
      if (byteOffset !== end + BLOCK_BYTES) refuse(`has an extended header or a gap before ${shown}.`);
      end = byteOffset + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
      if (end > bytes.length) refuse(`is cut off within ${shown}.`);
      files.set(name, bytes.subarray(byteOffset, byteOffset + size));
      entry.resume();
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    refuse('is no well-formed tar, or is cut off.');
  }
  // A tar ends with two blocks of zeros: without them something may be missing.
  const rest = bytes.subarray(end);
  if (rest.length < 2 * BLOCK_BYTES) refuse('is cut off: its end is missing.');
  if (!rest.every((byte) => byte === 0)) refuse('has bytes after its last file.');
  return files;
}
