import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { readJsonOption } from './install.ts';
import { resolveInstallationId } from './installations.ts';
import { changed } from './update.ts';

export function rollbackCommand(cli: Cli): void {
  verb(cli, {
    name: 'rollback',
    summary: 'Drop the canary, or go back to the release before or a named one',
    examples: ['gate rollback shop', 'gate rollback shop 1.2.0', 'gate rollback shop --restore-config'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .argument('[version]', 'the release to go back to')
    .option('--restore-config', 'take the configuration that the older release had')
    .option('--config <json>', 'the configuration that it is to have: JSON, or a file with it')
    .action(
      cli.answer(
        async (slugOrId: string, version: string | undefined, options: { restoreConfig?: true; config?: string }) => {
          if (options.config && options.restoreConfig) {
            throw new CliError('usage', 'Give --config or --restore-config, not both.');
          }
          const api = await cli.api();
          const id = await resolveInstallationId(api)(slugOrId);
          const config = options.config && (await readJsonOption('--config', options.config, cli.settings.cwd));
          const request = { version, ...(config && { config }), restoreConfig: options.restoreConfig };
          return changed(await api.rollBack(id, request));
        },
      ),
    );
}
