import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { oneLine } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

interface UninstallOptions {
  deleteStored?: boolean;
  ignoreRequirements?: boolean;
  yes?: true;
}

export function uninstallCommand(cli: Cli): void {
  verb(cli, {
    name: 'uninstall',
    summary: 'Remove an installation; what it stored is kept for a grace, or deleted now',
    examples: [
      'gate uninstall shop --yes',
      'gate uninstall shop --delete-stored --yes',
      'gate restore <id>   # within the grace',
    ],
  })
    .argument('<installation>', 'slug or id of an installation')
    .option('--delete-stored', 'delete what it stored at once, for good')
    .option('--ignore-requirements', 'although other installations require it')
    .option('--yes', 'do not ask')
    .action(
      cli.answer(async (slugOrId: string, options: UninstallOptions) => {
        const { deleteStored = false, ignoreRequirements = false, yes } = options;
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        const what = deleteStored ? `${slugOrId} and everything that it stored` : slugOrId;
        if (!yes && !(await confirmed(cli, `Uninstall ${oneLine(what)}?`))) {
          throw new CliError('confirmation-needed', 'Nothing was uninstalled.');
        }
        await api.uninstall(id, { deleteNow: deleteStored, ignoreRequirements });
        const back = deleteStored
          ? 'what it stored is deleted'
          : `gate restore ${id} takes it back while its grace lasts`;
        return {
          value: { id, uninstalled: true, storedDeleted: deleteStored },
          text: (paint) => `${paint('green', '✔')} ${oneLine(slugOrId)} is uninstalled; ${back}`,
        };
      }),
    );
}

async function confirmed(cli: Cli, message: string): Promise<boolean> {
  if (!cli.interactive()) throw new CliError('confirmation-needed', `${message} Add --yes.`);
  const { confirm } = await import('@inquirer/prompts');
  return confirm({ message, default: false });
}
