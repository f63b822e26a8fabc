import type { Release, ReleaseState } from '../../../registry/index.ts';
import { RELEASE_STATES } from '../../../registry/index.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

export function releasesCommand(cli: Cli): void {
  verb(cli, {
    name: 'releases',
    summary: 'List releases: your own, or all of them for moderators',
    examples: ['gate releases', 'gate releases --state in-review', 'gate releases acme-labs/hello-http --json'],
  })
    .argument('[plugin]', '<publisher>/<name>')
    .option('--state <state>', RELEASE_STATES.join(', '), checkState)
    .action(
      cli.answer(async (plugin: string | undefined, options: { state?: ReleaseState }) => {
        const api = await cli.api();
        const filter = { plugin: plugin && parsePluginName(plugin).plugin, state: options.state };
        const releases = await readPages((page) => api.listReleases({ ...filter, ...page }));
        return {
          value: { items: releases },
          text: (paint) => releasesText(paint, releases),
        };
      }),
    );
}

function releasesText(paint: Paint, releases: Release[]): string {
  if (releases.length === 0) return 'There are no such releases.';
  const rows = releases.map(({ plugin, version, state, createdAt, id }) => [plugin, version, state, createdAt, id]);
  const why = releases.flatMap(({ plugin, version, reasons }) =>
    reasons.map((reason) => `${paint('red', '✖')} ${plugin}@${version}: ${oneLine(reason)}`),
  );
  return [columns(paint, ['PLUGIN', 'VERSION', 'STATE', 'CREATED', 'ID'], rows), ...why].join('\n');
}

function checkState(text: string): ReleaseState {
  if (RELEASE_STATES.includes(text as ReleaseState)) return text as ReleaseState;
  throw new CliError('usage', `--state must be one of: ${RELEASE_STATES.join(', ')}`);
}

/** A release by its id or by `<publisher>/<name>@<version>`. Refuses with: usage, release-unknown. */
export const resolveReleaseId =
  (api: Pick<ApiClient, 'findRelease'>) =>
  async (text: string): Promise<string> => {
    if (!text.includes('/')) return text;
    const { plugin, version } = parsePluginName(text);
    if (version === undefined) throw new CliError('usage', `Say which version: ${plugin}@1.0.0`);
    return (await api.findRelease(plugin, version)).id;
  };

export const reviewedValue = (release: Release, text: string) => ({
  value: release,
  text: (paint: Cli['paint']) => `${paint('green', '✔')} ${release.plugin}@${release.version} is ${text}`,
});
