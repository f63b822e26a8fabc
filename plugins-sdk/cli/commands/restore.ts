import { type Cli, verb } from '../command-line.ts';
import { changed } from './update.ts';

export function restoreCommand(cli: Cli): void {
  verb(cli, {
    name: 'restore',
    summary: 'Take the removal of an installation back, with everything that it stored',
    examples: ['gate restore 0197c0de-0000-7000-8000-000000000000'],
  })
    .argument('<id>', 'id of the installation; gate uninstall shows it')
    .action(cli.answer(async (id: string) => changed(await (await cli.api()).restore(id))));
}
