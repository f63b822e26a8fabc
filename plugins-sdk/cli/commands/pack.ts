import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  ARCHIVE_BYTES_MAX,
  ARCHIVE_FILES,
  ARCHIVE_UNPACKED_BYTES_MAX,
  type Manifest,
  sha256Hex,
} from '../../contract/index.ts';
import { bundleProject, warningLines } from '../bundle-project.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { loadProject } from '../load-project.ts';
import { bytesText, columns, fields, type Paint } from '../terminal.ts';
import { type ArchiveEntries, gzipTar, writeTar } from '../write-archive.ts';

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
  warnings: string[];
}

/** `<publisher>-<name>-<version>.gpk` */
export const archiveName = ({ publisher, name, version }: Manifest): string => `${publisher}-${name}-${version}.gpk`;

/**
 * Bundles a plugin's folder into a release archive. The same manifest, sources and README give the same bytes in every
 * folder and on every machine; the digest does not even depend on the compressor.
 * Refuses with: manifest-missing, manifest-invalid, bundle-failed, archive-too-large, file-unreadable.
 */
export async function packPlugin(folder: string): Promise<PackedPlugin> {
  const project = await loadProject(folder);
  const bundle = await bundleProject(project);
  const { manifest, readme } = project;
  const files: ArchiveEntries = {
    // Written anew, so that indentation and line ends do not make another release.
    [ARCHIVE_FILES.manifest]: `${JSON.stringify(manifest, null, 2)}\n`,
    [ARCHIVE_FILES.bundle]: bundle.code,
    [ARCHIVE_FILES.sourceMap]: bundle.sourceMap,
    ...(readme === null ? {} : { [ARCHIVE_FILES.readme]: readme }),
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
    warnings: [
      ...warningLines(bundle),
      ...(readme === null ? ['There is no README.md; operators read it before they install.'] : []),
    ],
  };
}

function refuseLarge(what: string, bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  const message = `The archive has ${bytesText(bytes)} ${what}; at most ${bytesText(bytesMax)} are allowed.`;
  throw new CliError('archive-too-large', message, { bytes, bytesMax });
}

export function packedText(paint: Paint, { plugin, version, digest, archive, files, warnings }: PackedPlugin): string {
  const rows = files.map(({ name, bytes }) => [name, bytesText(bytes)]);
  const about: [string, string][] = [
    ['digest', digest],
    ['archive', bytesText(archive.length)],
  ];
  return [
    `${paint('green', '✔')} Packed ${plugin}@${version}`,
    fields(paint, about),
    columns(paint, ['FILE', 'SIZE'], rows),
    ...warnings.map((warning) => `${paint('yellow', 'warning')} ${warning}`),
  ].join('\n');
}

export function packCommand(cli: Cli): void {
  verb(cli, {
    name: 'pack',
    summary: 'Make the release archive of a plugin',
    examples: ['gate pack', 'gate pack ./my-plugin --out /tmp', 'gate pack --json'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--out <folder>', 'where the .gpk file goes', '.')
    .action(
      cli.answer(async (folder: string, options: { out: string }) => {
        const packed = await packPlugin(resolve(cli.settings.cwd, folder));
        const path = join(resolve(cli.settings.cwd, options.out), archiveName(packed.manifest));
        await writeFile(path, packed.archive).catch((error) => {
          throw new CliError('file-unwritable', `${path} cannot be written: ${error.message}`, { path });
        });
        const { archive, manifest: _manifest, ...value } = packed;
        return {
          value: { path, archiveBytes: archive.length, ...value },
          text: (paint) => `${packedText(paint, packed)}\n${fields(paint, [['written', path]])}`,
        };
      }),
    );
}
