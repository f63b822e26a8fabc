import type { Outdated } from '../../../host/installations/contract.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

/** Whether somebody might want to do something about an installation. */
export const isOutdated = ({ version, inRange, latest, releaseState, deprecated, updates }: Outdated): boolean =>
  releaseState !== 'published' ||
  deprecated !== null ||
  updates.waiting !== null ||
  updates.canary !== null ||
  (inRange !== null && inRange !== version) ||
  (latest !== null && latest !== version);

export function outdatedText(paint: Paint, items: Outdated[]): string {
  const rows = items.map(({ installation, version, releaseState, deprecated, updates, inRange, latest, held }) => [
    installation.slug,
    installation.plugin,
    releaseState !== 'published' ? `${version} (${releaseState})` : deprecated ? `${version} (deprecated)` : version,
    updates.follows ?? 'pinned',
    inRange ?? '-',
    latest ?? '-',
    updates.canary
      ? `canary ${updates.canary.version} at ${updates.canary.percent} %`
      : updates.waiting
        ? oneLine(`${updates.waiting.version} waits: ${updates.waiting.reason} gate update ${installation.slug} --show`)
        : held
          ? oneLine(`${held.version}: ${held.reason}`)
          : deprecated
            ? oneLine(
                `${deprecated.reason}${deprecated.replacement === null ? '' : ` Take ${deprecated.replacement}.`}`,
              )
            : '',
  ]);
  return columns(paint, ['SLUG', 'PLUGIN', 'VERSION', 'FOLLOWS', 'IN RANGE', 'LATEST', ''], rows);
}

export function outdatedCommand(cli: Cli): void {
  verb(cli, {
    name: 'outdated',
    summary: 'List installations that could have another release, or whose release was yanked or deprecated',
    examples: ['gate outdated', 'gate outdated --all', 'gate outdated --json'],
  })
    .option('--all', 'the others too')
    .action(
      cli.answer(async ({ all }: { all?: true }) => {
        const items = (await readPages((await cli.api()).listOutdated)).filter((each) => all || isOutdated(each));
        return {
          value: { items },
          text: (paint) => (items.length === 0 ? 'Everything runs the newest release.' : outdatedText(paint, items)),
        };
      }),
    );
}
