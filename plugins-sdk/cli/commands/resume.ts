import { type Cli, verb } from '../command-line.ts';
import { oneLine } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

export function resumeCommand(cli: Cli): void {
  verb(cli, {
    name: 'resume',
    summary: 'Let a suspended installation run again',
    examples: ['gate resume shop', 'gate resume 0197c0de-0000-7000-8000-000000000000 --json'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .action(
      cli.answer(async (slugOrId: string) => {
        const api = await cli.api();
        const installation = await api.resumeInstallation(await resolveInstallationId(api)(slugOrId));
        const alone = installation.conduct.solitarySince === null ? '' : '; it runs alone for a while';
        return {
          value: installation,
          text: (paint) => `${paint('green', '✔')} ${oneLine(installation.slug)} is not suspended${alone}`,
        };
      }),
    );
}
