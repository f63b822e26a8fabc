import type { DistTag, Release } from '../../../registry/index.ts';
import { readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

/** What whoever thinks about installing a version has to know of it. */
export function releaseNotes({ state, yanked, deprecated, blocked }: Release): string {
  if (blocked !== null) return `blocked: ${oneLine(blocked.reason)}`;
  const notice = yanked ?? deprecated;
  if (notice === null) return state === 'published' ? '' : state;
  const instead = notice.replacement === null ? '' : ` Take ${notice.replacement}.`;
  return `${yanked ? 'yanked' : 'deprecated'}: ${oneLine(notice.reason)}${instead}`;
}

export function versionsText(paint: Paint, releases: Release[], tags: DistTag[]): string {
  if (releases.length === 0) return 'There are no versions that you may see.';
  const channels = (version: string) =>
    tags
      .filter((each) => each.version === version)
      .map(({ tag }) => tag)
      .join(' ');
  const rows = releases.map((release) => [
    release.version,
    channels(release.version),
    release.reviewedAt ?? release.createdAt,
    release.provenance ? release.provenance.commit.slice(0, 12) : '',
    releaseNotes(release),
  ]);
  return columns(paint, ['VERSION', 'CHANNELS', 'SINCE', 'COMMIT', ''], rows);
}

export function versionsCommand(cli: Cli): void {
  verb(cli, {
    name: 'versions',
    summary: 'List the versions of a plugin with their channels, yanks and deprecations',
    examples: ['gate versions acme-labs/hello', 'gate versions acme-labs/hello --json'],
  })
    .argument('<plugin>', '<publisher>/<name>')
    .action(
      cli.answer(async (text: string) => {
        const { plugin } = parsePluginName(text);
        const api = await cli.api();
        const [{ items: tags }, releases] = await Promise.all([
          api.listTags(plugin),
          readPages((page) => api.listReleases({ plugin, ...page })),
        ]);
        return { value: { items: releases, tags }, text: (paint) => versionsText(paint, releases, tags) };
      }),
    );
}
