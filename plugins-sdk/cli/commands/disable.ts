import { type Cli, verb } from '../command-line.ts';
import { oneLine } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

export function disableCommand(cli: Cli): void {
  verb(cli, {
    name: 'disable',
    summary: 'Refuse calls, events and schedules of an installation until it is enabled again',
    examples: ['gate disable shop'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .action(
      cli.answer(async (slugOrId: string) => {
        const api = await cli.api();
        const installation = await api.updateInstallation(await resolveInstallationId(api)(slugOrId), {
          enabled: false,
        });
        return {
          value: installation,
          text: (paint) => `${paint('green', '✔')} ${oneLine(installation.slug)} is disabled`,
        };
      }),
    );
}
