import type { SecretStatus } from '../../../host/secrets/contract.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../read-input.ts';
import { oneLine, type Paint } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';

/** One secret: whether it is set, where it goes, what it is for. */
export function secretText(paint: Paint, { name, reason, optional, send, isSet, updatedAt }: SecretStatus): string {
  const state = isSet ? paint('green', '✔ set') : optional ? paint('dim', '· not set') : paint('red', '✖ missing');
  const goesTo = send ? `sent to ${send.hosts.join(', ')} as ${send.header}` : 'not sent by the host';
  const since = updatedAt === null ? '' : paint('dim', ` since ${updatedAt}`);
  return `${state.padEnd(10)} ${paint('bold', oneLine(name))}${since}\n    ${oneLine(reason)}\n    ${paint('dim', oneLine(goesTo))}`;
}

export function secretsCommand(cli: Cli): void {
  const secrets = verb(cli, {
    name: 'secrets',
    summary: 'Enter secrets for an installation, such as API keys',
    examples: ['gate secrets list shop', 'gate secrets set shop API_KEY', 'gate secrets set shop API_KEY < key.txt'],
  });
  secrets
    .command('list')
    .description('Show which secrets the plugin wants, where they go, and which are set')
    .argument('<installation>', 'slug or id of an installation')
    .action(
      cli.answer(async (slugOrId: string) => {
        const api = await cli.api();
        const { items } = await api.listSecrets(await resolveInstallationId(api)(slugOrId));
        return {
          value: { items },
          text: (paint) =>
            items.length === 0
              ? 'The plugin wants no secrets.'
              : items.map((item) => secretText(paint, item)).join('\n'),
        };
      }),
    );
  secrets
    .command('set')
    .description('Enter or replace a secret; the value is typed at the prompt or piped in')
    .argument('<installation>', 'slug or id of an installation')
    .argument('<name>', 'name of the secret, such as API_KEY')
    .action(
      cli.answer(async (slugOrId: string, name: string) => {
        const api = await cli.api();
        const id = await resolveInstallationId(api)(slugOrId);
        const status = await api.setSecret(id, name, await readValue(cli, name));
        return { value: status, text: (paint) => secretText(paint, status) };
      }),
    );
  secrets
    .command('rm')
    .description('Remove a secret')
    .argument('<installation>', 'slug or id of an installation')
    .argument('<name>', 'name of the secret')
    .action(
      cli.answer(async (slugOrId: string, name: string) => {
        const api = await cli.api();
        await api.removeSecret(await resolveInstallationId(api)(slugOrId), name);
        return { value: { name, removed: true }, text: () => `${oneLine(name)} is not set any more.` };
      }),
    );
}

/** Never an argument: arguments are seen by every process of the machine, and kept in histories. */
async function readValue(cli: Cli, name: string): Promise<string> {
  if (cli.interactive()) {
    const { password } = await import('@inquirer/prompts');
    return password({ message: `Value of ${name}`, mask: false });
  }
  if (cli.streams.in.isTTY) throw new CliError('usage', `Pipe the value of ${name} in: gate secrets set … < file`);
  const value = (await readInput(cli.streams.in)).replace(/\r?\n$/, '');
  if (value === '') throw new CliError('usage', `The value of ${name} is empty.`);
  return value;
}
