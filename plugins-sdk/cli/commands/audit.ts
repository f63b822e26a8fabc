import type { AuditFilter, AuditRecord } from '../../../registry/index.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { oneLine, type Paint } from '../terminal.ts';

const SHOWN = 50;

/** The newest entries that fit, oldest first. */
export const readAudit =
  (api: Pick<ApiClient, 'listAudit'>) =>
  async ({ limit = SHOWN, ...filter }: AuditFilter & { limit?: number }): Promise<AuditRecord[]> =>
    (await readPages((page) => api.listAudit({ ...filter, ...page }), limit)).toReversed();

/** Sequence, time, what, to what, by whom, from where. */
export function auditText(paint: Paint, record: AuditRecord): string {
  const { sequence, at, action, outcome, subject, actor, address } = record;
  const who =
    actor.via === 'system'
      ? `the platform (${actor.part})`
      : `${actor.role ?? actor.via} ${actor.accountId ?? actor.credentialId ?? ''}`;
  const what = outcome === 'done' ? paint('bold', action) : `${paint('bold', action)} (${outcome})`;
  const from = address === null ? '' : ` from ${address}`;
  return oneLine(
    `${paint('dim', `${String(sequence).padStart(6)} ${at}`)} ${what} ${subject.kind} ${subject.id} by ${who.trim()}${from}`,
  );
}

export function auditCommand(cli: Cli): void {
  verb(cli, {
    name: 'audit',
    summary: 'Show who did what in your organisation',
    examples: [
      'gate audit',
      'gate audit --action token. --from 2030-01-01T00:00:00Z',
      'gate audit --export csv > audit.csv',
    ],
  })
    .option('--action <name>', '`token.issue`, or `token.` for all of tokens')
    .option('--actor <id>', 'id of a token, a session or an account')
    .option('--subject <id>', 'id of what it was done to')
    .option('--outcome <outcome>', 'done, unchanged or refused')
    .option('--from <time>', 'ISO 8601, included')
    .option('--to <time>', 'ISO 8601, not included')
    .option('--organisation <slug>', 'for auditors of the platform')
    .option('--limit <number>', `how many at most (default: ${SHOWN})`, Number)
    .option('--export <format>', 'everything that fits, newest first, as ndjson or csv')
    .action(
      cli.answer(async ({ export: format, ...filter }: AuditFilter & { limit?: number; export?: 'ndjson' | 'csv' }) => {
        const api = await cli.api();
        if (format !== undefined) {
          const { limit: _, ...all } = filter;
          const text = await api.exportAudit({ ...all, format });
          return { value: { format, text }, text: () => text.trimEnd() };
        }
        const items = await readAudit(api)(filter);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0 ? 'No entry fits.' : items.map((record) => auditText(paint, record)).join('\n'),
        };
      }),
    );
}
