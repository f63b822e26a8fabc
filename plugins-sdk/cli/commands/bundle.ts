import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { keyIdOf, type ReleaseStatus, readStatus } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type BundledRelease, readBundle, writeBundle } from '../bundle/bundle-file.ts';
import { type VerifiedRelease, verifyBundle } from '../bundle/verify-bundle.ts';
import type { Cli } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';
import { readPublicKey } from '../transparency/log-state.ts';

const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

const nameOf = ({ release }: Pick<ReleaseStatus, 'release'>): string =>
  `${release.publisher}/${release.name}@${release.version}`;

/** Refuses with: file-unreadable, bundle-invalid. */
async function bundleAt(path: string): Promise<BundledRelease[]> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CliError('file-unreadable', `${path} cannot be read: ${error.message}`, { path });
  });
  return readBundle(bytes);
}

/** A release and, if wished, what it requires, requirements first. Refuses with: the codes of the API. */
export const collectReleases =
  (api: Pick<ApiClient, 'exportRelease' | 'findRelease'>) =>
  async (wish: { plugin: string; version: string }, withRequired: boolean): Promise<BundledRelease[]> => {
    const collected = new Map<string, BundledRelease>();
    const collect = async (plugin: string, version: string, trail: string[]): Promise<void> => {
      // One that was stopped is found by its version only: those who have it elsewhere have to hear of that.
      const release = withRequired || !EXACT.test(version) ? await api.findRelease(plugin, version) : null;
      const exact = release?.version ?? version;
      const name = `${plugin}@${exact}`;
      if (collected.has(name) || trail.includes(name)) return;
      const required = release?.manifest.dependencies ?? [];
      for (const each of required.filter(({ optional }) => withRequired && !optional))
        await collect(each.plugin, each.range, [...trail, name]);
      const { exported, archive } = await api.exportRelease(plugin, exact);
      collected.set(name, { exported, archive: Buffer.from(archive, 'base64') });
    };
    await collect(wish.plugin, wish.version, []);
    return [...collected.values()];
  };

export function bundleCommand(cli: Cli): void {
  const group = cli.program
    .command('bundle')
    .description('Carry releases with their proofs to a Gatehouse without a network')
    .addHelpText(
      'after',
      '\nExamples:\n  $ gate bundle export acme/hello@1.0.0 -o hello.gatebundle\n  $ gate bundle inspect hello.gatebundle --trust-root registry.pem\n  $ gate bundle import hello.gatebundle --dry-run',
    );
  exportVerb(cli, group);
  inspectVerb(cli, group);
  importVerb(cli, group);
}

type Group = ReturnType<Cli['program']['command']>;
const at = (cli: Cli, path: string) => resolve(cli.settings.cwd, path);

function exportVerb(cli: Cli, group: Group): void {
  group
    .command('export')
    .description('Write a published release into one file, with everything that proves it')
    .argument('<release>', '<publisher>/<name>@<version>')
    .option('-o, --out <file>', 'default: <publisher>-<name>-<version>.gatebundle')
    .option('--with-required', 'with the plugins that it requires, and theirs')
    .action(
      cli.answer(async (text: string, options: { out?: string; withRequired?: true }) => {
        const { plugin, version } = parsePluginName(text);
        if (version === undefined) throw new CliError('usage', `Say which version: ${plugin}@1.0.0`);
        const releases = await collectReleases(await cli.api())({ plugin, version }, options.withRequired === true);
        const statuses = releases.map(({ exported }) => readStatus(exported.status)!);
        const path = at(cli, options.out ?? `${nameOf(statuses.at(-1)!).replace(/[/@]/g, '-')}.gatebundle`);
        const bytes = await writeBundle(releases);
        await writeFile(path, bytes).catch((error: Error) => {
          throw new CliError('file-unwritable', `${path} cannot be written: ${error.message}`, { path });
        });
        return {
          value: { path, bytes: bytes.length, releases: statuses },
          text: (paint) =>
            `${statusesText(paint, statuses)}\n${paint('green', '✔')} ${releases.length} in ${path} (${bytes.length} bytes)`,
        };
      }),
    );
}

function statusesText(paint: Paint, statuses: ReleaseStatus[]): string {
  const rows = statuses.map((status) => [
    ...[nameOf(status), status.blocked === null ? status.state : 'stopped', status.exportedAt, status.release.digest],
  ]);
  return columns(paint, ['RELEASE', 'STATE', 'AS OF', 'DIGEST'], rows);
}

function inspectVerb(cli: Cli, group: Group): void {
  group
    .command('inspect')
    .description('Say what a bundle holds, without a network; with --trust-root verify all of it')
    .argument('<file>')
    .option('--trust-root <file>', "the public key of the bundle's registry, which you got from elsewhere")
    .action(
      cli.answer(async (file: string, options: { trustRoot?: string }) => {
        const releases = await bundleAt(at(cli, file));
        if (options.trustRoot !== undefined) {
          const root = await readPublicKey(at(cli, options.trustRoot));
          return verifiedAnswer(await verifyBundle(releases, root), keyIdOf(root));
        }
        const statuses = releases.map(({ exported }) => readStatus(exported.status)!);
        return {
          value: { verified: false, releases: statuses },
          text: (paint) =>
            `${statusesText(paint, statuses)}\n${paint('yellow', 'Nothing was verified')}: that is what the file says of itself. Add --trust-root.`,
        };
      }),
    );
}

/** What was verified, as an answer that ends with 1 where anything is wrong. */
export function verifiedAnswer(releases: VerifiedRelease[], registryKeyId: string) {
  const passed = releases.every((each) => each.passed);
  return {
    value: { verified: true, passed, registryKeyId, releases },
    text: (paint: Paint) =>
      releases
        .flatMap(({ statement, status, steps, passed: fine }) => [
          paint('bold', oneLine(nameOf({ release: statement }))),
          ...steps.map(
            (step) =>
              `${step.passed ? paint('green', '✔') : paint('red', '✖')} ${step.step.padEnd(20)} ${oneLine(step.message)}`,
          ),
          ...(status?.blocked
            ? [`${paint('red', '✖')} stopped by its registry: ${oneLine(status.blocked.reason)}`]
            : []),
          ...(status?.yanked ? [`${paint('yellow', '!')} yanked: ${oneLine(status.yanked.reason)}`] : []),
          fine
            ? `${paint('green', '✔')} is what its publisher signed and its registry approved in public.`
            : `${paint('red', '✖')} is not proven; do not import it.`,
        ])
        .join('\n'),
    exitCode: (passed ? 0 : 1) as 0 | 1,
  };
}

function importVerb(cli: Cli, group: Group): void {
  group
    .command('import')
    .description('Take the releases of a bundle into this Gatehouse, which verifies them anew (admins)')
    .argument('<file>')
    .option('--dry-run', 'verify everything, here and there, and keep nothing')
    .option('--trust-root <file>', 'verify with this key before anything is sent')
    .action(
      cli.answer(async (file: string, options: { dryRun?: true; trustRoot?: string }) => {
        const releases = await bundleAt(at(cli, file));
        if (options.trustRoot !== undefined) {
          const root = await readPublicKey(at(cli, options.trustRoot));
          const verified = await verifyBundle(releases, root);
          if (verified.some(({ passed }) => !passed)) return verifiedAnswer(verified, keyIdOf(root));
        }
        const api = await cli.api();
        const reports = [];
        for (const { exported, archive } of releases) {
          reports.push(await api.importRelease(exported, archive, options.dryRun === true));
        }
        const rows = reports.map(({ release, outcome }) => [
          ...[`${release.plugin}@${release.version}`, outcome, release.state, release.origin?.registryKeyId ?? ''],
        ]);
        return {
          value: { dryRun: options.dryRun === true, releases: reports },
          text: (paint) =>
            `${columns(paint, ['RELEASE', 'OUTCOME', 'STATE', 'FROM REGISTRY'], rows)}${
              options.dryRun ? `\n${paint('yellow', 'Nothing was kept')} (--dry-run).` : ''
            }`,
        };
      }),
    );
}
