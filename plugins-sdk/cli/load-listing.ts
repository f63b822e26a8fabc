import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listingFaults } from '../contract/check-listing.ts';
import { ARCHIVE_FILES, listedFiles } from '../contract/index.ts';
import { CliError } from './errors.ts';
import { type Project, readText } from './load-project.ts';
import type { ArchiveEntries } from './write-archive.ts';

/**
 * What marketplaces show of a plugin: README, changelog and the pictures that the manifest names, checked as the registry checks them.
 * Refuses with: listing-invalid (all faults), file-unreadable.
 */
export async function loadListing({ folder, manifest, readme }: Project): Promise<ArchiveEntries> {
  const changelog = await readText(join(folder, ARCHIVE_FILES.changelog));
  const files: ArchiveEntries = {
    ...(readme === null ? {} : { [ARCHIVE_FILES.readme]: readme }),
    ...(changelog === null ? {} : { [ARCHIVE_FILES.changelog]: changelog }),
  };
  for (const file of listedFiles(manifest.listing ?? {})) {
    const bytes = await readBytes(join(folder, file));
    if (bytes !== null) files[file] = bytes;
  }
  const found = listingFaults(
    manifest,
    new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])),
  );
  if (found.length === 0) return files;
  const faults = found.map(({ file, reason }) => ({ pointer: `/${file}`, message: reason }));
  const count = faults.length === 1 ? 'A file' : `${faults.length} files`;
  throw new CliError(
    'listing-invalid',
    `${count} of the listing cannot be shown: ${found[0]!.file} ${found[0]!.reason}.`,
    {
      faults,
    },
  );
}

/** Pictures of README and changelog that are not in the archive are left out of the listing. */
export function pictureWarnings({ manifest }: Project, files: ArchiveEntries): string[] {
  const listed = listedFiles(manifest.listing ?? {});
  return [ARCHIVE_FILES.readme, ARCHIVE_FILES.changelog].flatMap((name) => {
    const wanted = [...String(files[name] ?? '').matchAll(/!\[[^\]]{0,200}\]\(([^)\s]{1,300})/g)].map(
      ([, file]) => file!,
    );
    return wanted
      .filter((file) => !listed.includes(file.replace(/^\.\//, '')))
      .map((file) => `${name} shows ${file}, which listings leave out; name it in "listing.images" of the manifest.`);
  });
}

async function readBytes(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new CliError('file-unreadable', `${path} cannot be read: ${(error as Error).message}`, { path });
  }
}
