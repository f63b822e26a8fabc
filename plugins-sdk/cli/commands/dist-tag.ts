import type { DistTag } from '../../../registry/index.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { columns, type Paint } from '../terminal.ts';

const tagsText = (paint: Paint, tags: DistTag[]): string =>
  tags.length === 0
    ? 'There are no channels.'
    : columns(
        paint,
        ['CHANNEL', 'VERSION', 'SINCE'],
        tags.map(({ tag, version, updatedAt }) => [tag, version, updatedAt]),
      );

export function distTagCommand(cli: Cli): void {
  const tags = verb(cli, {
    name: 'dist-tag',
    summary: 'Channels of a plugin, such as beta: names that point at a version',
    examples: [
      'gate dist-tag list acme-labs/hello',
      'gate dist-tag set acme-labs/hello@2.0.0-rc.1 beta',
      'gate install acme-labs/hello@beta --as hello',
      'gate dist-tag rm acme-labs/hello beta',
    ],
  });
  const answer = (items: DistTag[]) => ({ value: { items }, text: (paint: Paint) => tagsText(paint, items) });
  tags
    .command('list')
    .argument('<plugin>', '<publisher>/<name>')
    .action(
      cli.answer(async (text: string) =>
        answer((await (await cli.api()).listTags(parsePluginName(text).plugin)).items),
      ),
    );
  tags
    .command('set')
    .argument('<release>', '<publisher>/<name>@<version>')
    .argument('<channel>', 'such as beta')
    .action(
      cli.answer(async (text: string, tag: string) => {
        const { plugin, version } = parsePluginName(text);
        if (version === undefined) throw new CliError('usage', `Say which version: ${plugin}@1.0.0`);
        return answer((await (await cli.api()).setTag(plugin, tag, version)).items);
      }),
    );
  tags
    .command('rm')
    .argument('<plugin>', '<publisher>/<name>')
    .argument('<channel>', 'such as beta')
    .action(
      cli.answer(async (text: string, tag: string) =>
        answer((await (await cli.api()).removeTag(parsePluginName(text).plugin, tag)).items),
      ),
    );
}
