import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Provenance } from '../../../registry/index.ts';
import type { BundlePart } from '../../bundling/bundle-parts.ts';
import {
  ARCHIVE_BYTES_MAX,
  ARCHIVE_FILES,
  ARCHIVE_UNPACKED_BYTES_MAX,
  BUNDLE_BYTES_MAX,
  type Manifest,
  sha256Hex,
} from '../../contract/index.ts';
import { bundleProject, warningLines } from '../bundle-project.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { loadListing, pictureWarnings } from '../load-listing.ts';
import { loadProject } from '../load-project.ts';
import { bytesText, columns, fields, type Paint } from '../terminal.ts';
import { type ArchiveEntries, gzipTar, writeTar } from '../write-archive.ts';
import { writeSbom } from '../write-sbom.ts';

export interface PackedPlugin {
  /** `<publisher>/<name>`. */
  plugin: string;
  version: string;
  manifest: Manifest;
  /** The gzipped tar. */
  archive: Buffer;
  /** SHA-256 of the uncompressed tar: what is signed. */
  digest: string;
  /** SHA-256 of the bundle's code: what the sandbox knows it by. */
  bundleDigest: string;
  files: { name: string; bytes: number }[];
  /** What of each source file is in the bundle, the largest first. */
  parts: BundlePart[];
  warnings: string[];
}

/** `<publisher>-<name>-<version>.gpk` */
export const archiveName = ({ publisher, name, version }: Manifest): string => `${publisher}-${name}-${version}.gpk`;

/**
 * Bundles a plugin's folder into a release archive. The same manifest, sources and README give the same bytes in every
 * folder and on every machine; the digest does not even depend on the compressor.
 * Refuses with: manifest-missing, manifest-invalid, listing-invalid, bundle-failed, archive-too-large, file-unreadable.
 */
export async function packPlugin(
  folder: string,
  { provenance }: { provenance?: Provenance } = {},
): Promise<PackedPlugin> {
  const project = await loadProject(folder);
  const listing = await loadListing(project);
  const bundle = await bundleProject(project);
  const { manifest, readme } = project;
  const files: ArchiveEntries = {
    // Written anew, so that indentation and line ends do not make another release.
    [ARCHIVE_FILES.manifest]: `${JSON.stringify(manifest, null, 2)}\n`,
    [ARCHIVE_FILES.bundle]: bundle.code,
    [ARCHIVE_FILES.sourceMap]: bundle.sourceMap,
    ...listing,
    [ARCHIVE_FILES.sbom]: writeSbom(manifest, bundle.packages),
    ...(provenance && { [ARCHIVE_FILES.provenance]: `${JSON.stringify(provenance)}\n` }),
  };
  const tar = await writeTar(files);
  const archive = gzipTar(tar);
  refuseLarge('unpacked', tar.length, ARCHIVE_UNPACKED_BYTES_MAX);
  refuseLarge('compressed', archive.length, ARCHIVE_BYTES_MAX);
  return {
    plugin: `${manifest.publisher}/${manifest.name}`,
    version: manifest.version,
    manifest,
    archive,
    digest: sha256Hex(tar),
    bundleDigest: sha256Hex(bundle.code),
    files: Object.entries(files).map(([name, content]) => ({ name, bytes: Buffer.byteLength(content) })),
    parts: bundle.parts,
    warnings: [
      ...warningLines(bundle),
      ...pictureWarnings(project, listing),
      ...(readme === null ? ['There is no README.md; operators read it before they install.'] : []),
    ],
  };
}

function refuseLarge(what: string, bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  const message = `The archive has ${bytesText(bytes)} ${what}; at most ${bytesText(bytesMax)} are allowed.`;
  throw new CliError('archive-too-large', message, { bytes, bytesMax });
}

const OWN_FILES = '(your files)';
const PARTS_SHOWN_MAX = 15;

/** Bytes by package, or by file, the largest first: `[name, size, share of the bundle]`. */
function partRows(parts: BundlePart[], byFile: boolean): string[][] {
  const bytesBy = new Map<string, number>();
  for (const { file, package: name, bytes } of parts) {
    const key = byFile ? file : (name ?? OWN_FILES);
    bytesBy.set(key, (bytesBy.get(key) ?? 0) + bytes);
  }
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0) || 1;
  const rows = [...bytesBy]
    .sort(([, a], [, b]) => b - a)
    .map(([name, bytes]) => [name, bytesText(bytes), `${((bytes / all) * 100).toFixed(1)} %`]);
  const rest = rows.length - PARTS_SHOWN_MAX;
  return rest > 1 && !byFile ? [...rows.slice(0, PARTS_SHOWN_MAX), [`and ${rest} more`, '', '']] : rows;
}

export function packedText(paint: Paint, packed: PackedPlugin, { byFile = false } = {}): string {
  const { plugin, version, digest, archive, files, parts, warnings } = packed;
  const bundleBytes = files.find(({ name }) => name === ARCHIVE_FILES.bundle)!.bytes;
  const rows = files.map(({ name, bytes }) => [name, bytesText(bytes)]);
  const about: [string, string][] = [
    ['digest', digest],
    ['archive', `${bytesText(archive.length)} of at most ${bytesText(ARCHIVE_BYTES_MAX)}`],
    ['bundle', `${bytesText(bundleBytes)} of at most ${bytesText(BUNDLE_BYTES_MAX)}`],
  ];
  return [
    `${paint('green', '✔')} Packed ${plugin}@${version}`,
    fields(paint, about),
    columns(paint, ['FILE', 'SIZE'], rows),
    columns(paint, [byFile ? 'SOURCE' : 'PACKAGE', 'IN THE BUNDLE', 'SHARE'], partRows(parts, byFile)),
    ...warnings.map((warning) => `${paint('yellow', 'warning')} ${warning}`),
  ].join('\n');
}

export function packCommand(cli: Cli): void {
  verb(cli, {
    name: 'pack',
    summary: 'Make the release archive of a plugin',
    examples: ['gate pack', 'gate pack ./my-plugin --out /tmp', 'gate pack --by-file', 'gate pack --json'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--out <folder>', 'where the .gpk file goes', '.')
    .option('--by-file', 'show the size of every source file instead of every package')
    .action(
      cli.answer(async (folder: string, options: { out: string; byFile?: boolean }) => {
        const packed = await packPlugin(resolve(cli.settings.cwd, folder));
        const path = join(resolve(cli.settings.cwd, options.out), archiveName(packed.manifest));
        await writeFile(path, packed.archive).catch((error) => {
          throw new CliError('file-unwritable', `${path} cannot be written: ${error.message}`, { path });
        });
        const { archive, manifest: _manifest, ...value } = packed;
        return {
          value: { path, archiveBytes: archive.length, ...value },
          text: (paint) => `${packedText(paint, packed, options)}\n${fields(paint, [['written', path]])}`,
        };
      }),
    );
}
