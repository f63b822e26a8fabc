import { constants, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** Contents by name; names are relative and use `/`. */
export type ArchiveEntries = Record<string, string | Uint8Array>;

/** One tar entry may have no other name: nothing absolute, nothing that climbs, nothing a file system treats specially. */
const NAME_PATTERN = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

/**
 * Writes files as a tar that depends on their names and contents only: sorted by name, and mode, owner and times fixed.
 * Throws on a name that no release may contain.
 */
export async function writeTar(files: ArchiveEntries): Promise<Buffer> {
  const tar = pack();
  for (const name of Object.keys(files).sort()) {
    if (!NAME_PATTERN.test(name)) throw new Error(`"${name}" cannot be the name of a file in a release`);
    tar.entry({ name, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }, Buffer.from(files[name]!));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Gzips at level 9 with a header that names neither time nor operating system (RFC 1952, 2.3.1: MTIME 0, OS 255). */
export function gzipTar(tar: Uint8Array): Buffer {
  const bytes = gzipSync(tar, { level: constants.Z_BEST_COMPRESSION });
  bytes.fill(0, 4, 8);
  bytes[9] = 255;
  return bytes;
}

/** A release archive: the same files give the same bytes, wherever and in whatever order they were read. */
export const writeArchive = async (files: ArchiveEntries): Promise<Buffer> => gzipTar(await writeTar(files));
