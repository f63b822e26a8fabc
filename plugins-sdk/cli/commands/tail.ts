import type { InstallationLogEntry } from '../../../host/installations/contract.ts';
import { type LineOutcome, OUTCOMES, type TailFilter } from '../../../host/tails/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { jsonText } from '../terminal.ts';
import { resolveInstallationId } from './installations.ts';
import { LEVELS, logLine, readLevel } from './logs.ts';

export interface TailCommand extends Pick<TailFilter, 'level' | 'outcome'> {
  installationId: string;
  /** Id of the last line that was seen. */
  after?: string;
  signal: AbortSignal;
}

/** Lines as they are written and ends of invocations as they happen. Refuses with: installation-unknown, tails-saturated. */
export async function* tailInstallation(
  api: Pick<ApiClient, 'tail'>,
  { installationId, level, outcome, after, signal }: TailCommand,
): AsyncGenerator<InstallationLogEntry> {
  for await (const { type, data } of api.tail(installationId, { level, outcome }, signal, after)) {
    if (type === 'line') yield readEntry(data);
  }
}

function readEntry(data: string): InstallationLogEntry {
  try {
    return JSON.parse(data) as InstallationLogEntry;
  } catch {
    throw new CliError('host-answer-invalid', 'The host sent a line that is no JSON.');
  }
}

export function tailCommand(cli: Cli): void {
  verb(cli, {
    name: 'tail',
    summary: 'Follow what an installation writes and how its invocations end, live',
    examples: [
      'gate tail shop',
      'gate tail shop --level warn',
      'gate tail shop --outcome faulted',
      'gate tail shop --json',
    ],
  })
    .argument('<installation>', 'slug or id of an installation')
    .option('--level <level>', `at least this level: ${LEVELS.join(', ')}`, readLevel)
    .option('--outcome <outcome>', `only ends of invocations: ${OUTCOMES.join(', ')}`, readOutcome)
    .option('--after <line>', 'go on after the line with this id, as --json shows it')
    .option('--trace', 'show the host calls of each invocation')
    .action(
      cli.answer(async (slugOrId: string, options: TailOptions) => {
        const api = await cli.api();
        const installationId = await resolveInstallationId(api)(slugOrId);
        const stop = new AbortController();
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
        cli.note(`Following ${slugOrId}; Ctrl-C ends it.`);
        const { trace = false, ...filter } = options;
        for await (const entry of tailInstallation(api, { ...filter, installationId, signal: stop.signal })) {
          cli.streams.out.write(`${cli.json() ? jsonText(entry) : logLine(cli.paint, entry, { trace })}\n`);
        }
        return null;
      }),
    );
}

interface TailOptions extends Pick<TailFilter, 'level' | 'outcome' | 'after'> {
  trace?: true;
}

function readOutcome(text: string): LineOutcome {
  if (OUTCOMES.includes(text as LineOutcome)) return text as LineOutcome;
  throw new CliError('usage', `--outcome must be one of: ${OUTCOMES.join(', ')}`);
}
