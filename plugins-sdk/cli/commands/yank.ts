import type { Reach } from '../../../host/releases/contract.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { columns, fields, type Paint } from '../terminal.ts';
import { resolveReleaseId, reviewedValue } from './releases.ts';

const OPERATORS_SHOWN_MAX = 20;

/** Who would be concerned, for somebody who is about to decide. */
export function reachText(paint: Paint, reach: Reach): string {
  const { release, installations, invocationsPerDay, operators, operatorCount, suggestedReplacement } = reach;
  const head = fields(paint, [
    ['release', `${release.plugin}@${release.version} (${release.state})`],
    ['runs in', `${installations} installations of ${operatorCount} operators`],
    ['called', `${invocationsPerDay} times within 24 hours`],
    ['instead', suggestedReplacement ?? 'there is no other published version'],
  ]);
  const rows = operators
    .slice(0, OPERATORS_SHOWN_MAX)
    .map((each) => [each.slug, each.installations, each.enabled, each.following].map(String));
  if (rows.length === 0) return head;
  const rest = operatorCount - rows.length;
  const table = columns(paint, ['OPERATOR', 'INSTALLATIONS', 'ENABLED', 'FOLLOWING'], rows);
  return rest > 0 ? `${head}\n${table}\nand ${rest} more` : `${head}\n${table}`;
}

export function yankCommand(cli: Cli): void {
  verb(cli, {
    name: 'yank',
    summary: 'Let nobody install a release anew; shows first who runs it',
    examples: [
      'gate yank acme-labs/hello@1.2.0',
      'gate yank acme-labs/hello@1.2.0 --reason "Loses orders." --replacement 1.2.1 --yes',
    ],
  })
    .argument('<release>', 'id, or <publisher>/<name>@<version>')
    .option('--reason <text>', 'what operators read')
    .option('--replacement <version>', 'what they are told to take instead (default: what is suggested)')
    .option('--yes', 'do not ask')
    .action(
      cli.answer(async (text: string, options: { reason?: string; replacement?: string; yes?: true }) => {
        const api = await cli.api();
        const id = await resolveReleaseId(api)(text);
        const reach = await api.reach(id);
        if (options.reason === undefined) {
          return {
            value: reach,
            text: (paint) => `${reachText(paint, reach)}\nNothing was changed: say why with --reason to yank it.`,
          };
        }
        cli.note(reachText(cli.paint, reach));
        if (!options.yes) await confirm(cli, reach);
        const replacement = options.replacement ?? reach.suggestedReplacement ?? undefined;
        const release = await api.yank(id, { reason: options.reason, replacement, reach: reach.digest });
        return reviewedValue(release, 'yanked: it goes on where it runs, and is not installed anew');
      }),
    );
}

async function confirm(cli: Cli, { release, installations }: Reach): Promise<void> {
  const name = `${release.plugin}@${release.version}`;
  if (!cli.interactive())
    throw new CliError('confirmation-needed', `${name} runs in ${installations} installations: add --yes.`);
  const { confirm: ask } = await import('@inquirer/prompts');
  if (!(await ask({ message: `Yank ${name} for good?`, default: false })))
    throw new CliError('confirmation-needed', 'Cancelled.');
}
