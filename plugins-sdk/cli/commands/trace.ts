import type { InstallationLogEntry } from '../../../host/installations/contract.ts';
import type { Usage } from '../../../sandbox/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { fields, type Paint } from '../terminal.ts';
import { waterfallLines, waterfallOf } from '../waterfall.ts';
import { resolveInstallationId } from './installations.ts';
import { logLine } from './logs.ts';

export interface InvocationTrace {
  /** The host's line about the end of the invocation. */
  end: InstallationLogEntry;
  /** Everything that the invocation wrote, oldest first; without `end`. */
  lines: InstallationLogEntry[];
}

/** What is known of one invocation. Refuses with: installation-unknown, trace-absent. */
export const traceInvocation =
  (api: Pick<ApiClient, 'listLogs'>) =>
  async (installationId: string, invocationId: string): Promise<InvocationTrace> => {
    const { items } = await api.listLogs(installationId, { invocationId, limit: 100 });
    const lines = items.toReversed();
    const end = lines.findLast(({ source, facts }) => source === 'host' && (facts as { usage?: unknown })?.usage);
    if (end === undefined) throw new CliError('trace-absent');
    return { end, lines: lines.filter((line) => line !== end) };
  };

function traceText(paint: Paint, { end, lines }: InvocationTrace): string {
  const { usage, kind } = end.facts as unknown as { usage: Usage; kind: string };
  const { waterfall, wallMs } = waterfallOf(end.facts) ?? { waterfall: { calls: [], omitted: 0 }, wallMs: 0 };
  return [
    logLine(paint, end),
    fields(paint, [
      ['invocation', end.invocationId],
      ['kind', kind],
      ['wall', `${usage.wallMs.toFixed(1)} ms, of which ${usage.queuedMs.toFixed(1)} ms queued`],
      ['cpu', `${usage.cpuMs.toFixed(1)} ms in ${usage.turns} turns`],
      ['memory', `${usage.heapMiB.toFixed(1)} MiB`],
    ]),
    ...waterfallLines(paint, waterfall, wallMs),
    ...(lines.length === 0 ? [] : [paint('dim', 'log')]),
    ...lines.map((line) => logLine(paint, line)),
  ].join('\n');
}

export function traceCommand(cli: Cli): void {
  verb(cli, {
    name: 'trace',
    summary: 'Show the host calls of one invocation as a waterfall, with its end and its log',
    examples: ['gate trace shop 01890a5d-ac96-774b-bcce-b302099a8057', 'gate trace shop 01890a5d-… --json'],
  })
    .argument('<installation>', 'slug or id of an installation')
    .argument('<invocation>', 'id of an invocation, from gate logs, gate tail or the header X-Gatehouse-Invocation')
    .action(
      cli.answer(async (slugOrId: string, invocationId: string) => {
        const api = await cli.api();
        const value = await traceInvocation(api)(await resolveInstallationId(api)(slugOrId), invocationId);
        return { value, text: (paint) => traceText(paint, value) };
      }),
    );
}
