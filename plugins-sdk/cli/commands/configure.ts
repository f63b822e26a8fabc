import { type Cli, verb } from '../command-line.ts';
import { oneLine } from '../terminal.ts';
import { readJsonOption } from './install.ts';
import { resolveInstallationId } from './installations.ts';

export function configureCommand(cli: Cli): void {
  verb(cli, {
    name: 'configure',
    summary: 'Enter a new configuration, which the plugin checks',
    examples: ['gate configure shop ./shop.json', `gate configure shop '{"greeting":"Hi"}'`],
  })
    .argument('<installation>', 'slug or id of an installation')
    .argument('<config>', 'JSON, or a file with it')
    .action(
      cli.answer(async (slugOrId: string, text: string) => {
        const api = await cli.api();
        const config = await readJsonOption('The configuration', text, cli.settings.cwd);
        const installation = await api.updateInstallation(await resolveInstallationId(api)(slugOrId), { config });
        return {
          value: installation,
          text: (paint) => `${paint('green', '✔')} ${oneLine(installation.slug)} is configured`,
        };
      }),
    );
}
