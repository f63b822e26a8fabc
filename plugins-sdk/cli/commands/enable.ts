import { type Cli, verb } from '../command-line.ts';
import { oneLine } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

export function enableCommand(cli: Cli): void {
  verb(cli, {
    name: 'enable',
    summary: 'Put a disabled installation back into service',
    examples: ['gate enable shop'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .action(
      cli.answer(async (slugOrId: string) => {
        const api = await cli.api();
        const installation = await api.updateInstallation(await resolveInstallationId(api)(slugOrId), {
          enabled: true,
        });
        return {
          value: installation,
          text: (paint) => `${paint('green', '✔')} ${oneLine(installation.slug)} is enabled`,
        };
      }),
    );
}
