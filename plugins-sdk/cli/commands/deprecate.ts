import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { parsePluginName } from '../plugin-name.ts';
import { resolveReleaseId, reviewedValue } from './releases.ts';

export function deprecateCommand(cli: Cli): void {
  verb(cli, {
    name: 'deprecate',
    summary: 'Warn of a release that can be installed still',
    examples: [
      'gate deprecate acme-labs/hello@1.2.0 --reason "No longer maintained." --replacement 2.0.0',
      'gate deprecate acme-labs/hello@1.2.0 --undo',
    ],
  })
    .argument('<release>', 'id, or <publisher>/<name>@<version>')
    .option('--reason <text>', 'what operators read')
    .option('--replacement <version>', 'what they are told to take instead')
    .option('--undo', 'warn of it no more')
    .action(
      cli.answer(async (text: string, options: { reason?: string; replacement?: string; undo?: true }) => {
        const { reason, replacement, undo } = options;
        if (reason === undefined && !undo) throw new CliError('usage', 'Say why with --reason, or --undo.');
        const api = await cli.api();
        const id = await resolveReleaseId(api)(text);
        const release = await api.deprecate(id, undo ? null : { reason: reason!, replacement });
        return reviewedValue(release, undo ? 'not deprecated any more' : 'deprecated: it is installed with a warning');
      }),
    );
}

export function listingCommand(cli: Cli): void {
  verb(cli, {
    name: 'unlist',
    summary: 'Take a plugin out of the catalogue; whoever knows its name can install it still',
    examples: ['gate unlist acme-labs/hello', 'gate unlist acme-labs/hello --undo'],
  })
    .argument('<plugin>', '<publisher>/<name>')
    .option('--undo', 'show it again')
    .action(
      cli.answer(async (text: string, { undo }: { undo?: true }) => {
        const { plugin } = parsePluginName(text);
        const { listed } = await (await cli.api()).setListed(plugin, undo === true);
        const said = listed ? 'is in the catalogue' : 'is found by its name alone';
        return { value: { plugin, listed }, text: (paint) => `${paint('green', '✔')} ${plugin} ${said}` };
      }),
    );
}
