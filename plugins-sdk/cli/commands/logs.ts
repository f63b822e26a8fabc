import type { InstallationLogEntry } from '../../../host/installations/contract.ts';
import type { Usage } from '../../../sandbox/index.ts';
import type { Json, PluginFault } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { jsonText, oneLine, type Paint } from '../terminal.ts';
import { waterfallLines, waterfallOf } from '../waterfall.ts';
import { resolveInstallationId } from './installations.ts';

type Level = InstallationLogEntry['level'];
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies Level[];

export interface LogsCommand {
  installationId: string;
  level?: Level;
  /** Only what one invocation wrote, and how it ended. */
  invocationId?: string;
  /** The newest so many; 1 to 100, default 50. */
  limit?: number;
}

/** The newest entries, oldest first. Refuses with: installation-unknown. */
export const readLogs =
  (api: Pick<ApiClient, 'listLogs'>) =>
  async ({ installationId, level, invocationId, limit = 50 }: LogsCommand): Promise<InstallationLogEntry[]> =>
    (await api.listLogs(installationId, { level, invocationId, limit })).items.toReversed();

/** A plugin that writes faster than this between two looks is shown with a gap instead of being read without end. */
const CATCH_UP_PAGES_MAX = 20;

/**
 * The newest entries and then every new one, oldest first, by asking again every `pollMs` until `signal` aborts.
 * No entry comes twice and none is left out, however many arrive between two looks (up to 2,000).
 */
export async function* followLogs(
  api: Pick<ApiClient, 'listLogs'>,
  { signal, pollMs = 1_000, ...command }: LogsCommand & { signal: AbortSignal; pollMs?: number },
): AsyncGenerator<InstallationLogEntry> {
  const { installationId, level, invocationId } = command;
  const first = await readLogs(api)(command);
  yield* first;
  let seen = new Set(first.map(({ id }) => id));
  while (!signal.aborted) {
    await rest(pollMs, signal);
    if (signal.aborted) return;
    const fresh: InstallationLogEntry[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < CATCH_UP_PAGES_MAX; page++) {
      const { items, nextCursor } = await api.listLogs(installationId, { level, invocationId, limit: 100, cursor });
      fresh.push(...items.filter(({ id }) => !seen.has(id)));
      if (items.some(({ id }) => seen.has(id)) || nextCursor === null) break;
      cursor = nextCursor;
    }
    if (fresh.length > 0) seen = new Set([...seen, ...fresh.map(({ id }) => id)].slice(-5_000));
    yield* fresh.reverse();
  }
}

const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });

const STYLES = { debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** `12:00:00.000 info  log     message {"facts":1}`; below the end of an invocation its frames, and its calls if asked. */
export function logLine(
  paint: Paint,
  entry: Omit<InstallationLogEntry, 'id' | 'invocationId'> & Partial<Pick<InstallationLogEntry, 'invocationId'>>,
  { trace = false } = {},
): string {
  const { at, level, source, message, facts } = entry;
  const { text, frames } =
    source === 'host' ? endOfInvocation(facts, entry.invocationId) : { text: plainFacts(facts), frames: [] };
  const line = `${paint('dim', at.slice(11, 23))} ${paint(STYLES[level], level.padEnd(5))} ${paint('dim', source.padEnd(7))} ${oneLine(message)}`;
  return [
    text === '' ? line : `${line} ${paint('dim', oneLine(text))}`,
    ...frames.map((frame) => `    ${oneLine(frame)}`),
    ...(trace ? callLines(paint, entry) : []),
  ].join('\n');
}

function plainFacts(facts: Json): string {
  const empty = facts === null || (typeof facts === 'object' && Object.keys(facts).length === 0);
  return empty ? '' : JSON.stringify(facts);
}

function callLines(paint: Paint, { source, facts }: Pick<InstallationLogEntry, 'source' | 'facts'>): string[] {
  const found = source === 'host' ? waterfallOf(facts) : null;
  return found === null ? [] : waterfallLines(paint, found.waterfall, found.wallMs).map((line) => `    ${line}`);
}

/** What the host notes about an end: `kind`, `fault` if any, and `usage`, with the id that `gate trace` takes; anything else is shown as it is. */
function endOfInvocation(facts: Json, id: string | null | undefined): { text: string; frames: string[] } {
  const { kind, fault, usage } = (facts ?? {}) as { kind?: string; fault?: PluginFault; usage?: Usage };
  if (kind === undefined || usage === undefined) return { text: plainFacts(facts), frames: [] };
  const queued = usage.queuedMs >= 1 ? `, queued ${usage.queuedMs.toFixed(0)} ms` : '';
  const spent = `${kind}, cpu ${usage.cpuMs.toFixed(1)} ms, wall ${usage.wallMs.toFixed(0)} ms${queued}, calls ${usage.hostCalls}`;
  const frames = (fault?.stack ?? '').split('\n').map((frame) => frame.trim());
  return { text: `(${spent})${id ? ` ${id}` : ''}`, frames: frames.filter((frame) => frame !== '') };
}

export function logsCommand(cli: Cli): void {
  verb(cli, {
    name: 'logs',
    summary: 'Show what an installation wrote and how its invocations failed',
    examples: [
      'gate logs shop',
      'gate logs shop --invocation 01890a5d-ac96-774b-bcce-b302099a8057',
      'gate logs shop --follow --level warn',
      'gate logs shop --limit 10 --json',
    ],
  })
    .argument('<installation>', 'slug or id of an installation')
    .option('-f, --follow', 'go on until Ctrl-C; with --json one document a line')
    .option('--level <level>', `at least this level: ${LEVELS.join(', ')}`, readLevel)
    .option('--invocation <id>', 'only what this invocation wrote and how it ended, with its host calls')
    .option('--limit <count>', 'the newest so many, 1 to 100', readLimit, 50)
    .action(
      cli.answer(async (slugOrId: string, options: LogsOptions) => {
        const api = await cli.api();
        const installationId = await resolveInstallationId(api)(slugOrId);
        const { level, limit, invocation: invocationId } = options;
        const command = { installationId, level, limit, ...(invocationId !== undefined && { invocationId }) };
        if (options.follow) return follow(cli, api, command);
        const items = await readLogs(api)(command);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0
              ? 'There is nothing in the log.'
              : items.map((item) => logLine(paint, item, { trace: invocationId !== undefined })).join('\n'),
        };
      }),
    );
}

interface LogsOptions {
  follow?: true;
  level?: Level;
  limit: number;
  invocation?: string;
}

async function follow(cli: Cli, api: ApiClient, command: LogsCommand): Promise<null> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  for await (const entry of followLogs(api, { ...command, signal: stop.signal })) {
    cli.streams.out.write(`${cli.json() ? jsonText(entry) : logLine(cli.paint, entry)}\n`);
  }
  return null;
}

export function readLevel(text: string): Level {
  if (LEVELS.includes(text as Level)) return text as Level;
  throw new CliError('usage', `--level must be one of: ${LEVELS.join(', ')}`);
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  throw new CliError('usage', '--limit must be a whole number from 1 to 100');
}
