import type { FeedEvent } from '../../../host/webhooks/contract.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { jsonText, oneLine, type Paint } from '../terminal.ts';

const WAIT_SECONDS = 20;
const PAGE = 100;

export interface EventFilter {
  after?: string;
  types?: string;
  follow?: boolean;
}

/** Pages of events until there are no more; with `follow` for ever. */
export async function* readFeed(
  api: Pick<ApiClient, 'readEvents'>,
  { after, types, follow = false }: EventFilter,
): AsyncGenerator<{ items: FeedEvent[]; cursor: string; missed: boolean }> {
  let cursor = after;
  for (;;) {
    const page = await api.readEvents({
      limit: PAGE,
      ...(cursor !== undefined && { after: cursor }),
      ...(types !== undefined && { types }),
      ...(follow && { waitSeconds: WAIT_SECONDS }),
    });
    cursor = page.cursor;
    yield page;
    if (!follow && !page.more) return;
  }
}

/** `17 2026-11-21T12:00:00.000Z release.published plugin=acme/hello release=1.2.0`. */
export function eventText(paint: Paint, { position, at, type, payload }: FeedEvent): string {
  const facts = Object.entries(payload as Record<string, unknown>).map(
    ([name, value]) => `${paint('dim', `${name}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${paint('dim', `${position} ${at}`)} ${paint('bold', type)} ${oneLine(facts.join(' '))}`.trimEnd();
}

export function eventsCommand(cli: Cli): void {
  verb(cli, {
    name: 'events',
    summary: 'Show what happened to your organisation, its plugins and its installations',
    examples: [
      'gate events',
      'gate events --follow --types release.published,release.rejected',
      'gate events --after 1700 --json',
      'gate events --after latest --follow --json | jq .type',
    ],
  })
    .option('--after <cursor>', 'go on after this position; `latest`: only what comes')
    .option('--types <types>', 'only these, with commas between them; docs/events.md lists them')
    .option('--follow', 'wait for more; with --json one event on each line')
    .action(
      cli.answer(async (filter: EventFilter) => {
        const api = await cli.api();
        if (filter.follow) cli.note('Following; Ctrl-C ends it.');
        const all: FeedEvent[] = [];
        let cursor = '';
        let missed = false;
        for await (const page of readFeed(api, filter)) {
          if (page.missed) cli.note('Some events after that position were deleted: they are kept for 30 days.');
          cursor = page.cursor;
          missed ||= page.missed;
          if (!filter.follow) all.push(...page.items);
          else
            for (const item of page.items) {
              cli.streams.out.write(`${cli.json() ? jsonText(item) : eventText(cli.paint, item)}\n`);
            }
        }
        return {
          value: { items: all, cursor, missed },
          text: (paint) =>
            all.length === 0 ? 'There are no events.' : all.map((item) => eventText(paint, item)).join('\n'),
        };
      }),
    );
}
