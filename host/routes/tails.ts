import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { answer, type Route, route } from '../http/route.ts';
import { OUTCOMES, type TailEvent, type Tails } from '../tails/contract.ts';
import { Id, oneOf, strict } from './fields.ts';

export interface TailPorts {
  tails: Tails;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What happens in an installation, as server-sent events. */
export const tailRoutes = ({ tails }: TailPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/tail',
    consumer: 'Operators',
    summary:
      'Follow what the plugin logs and how its invocations end, as server-sent events: `line` with a LogEntry, `again` when ' +
      'the reader shall come again with the id of the last line. Comments keep the connection open.',
    allow: ['log:read'],
    params: Type.Object({ id: Id }),
    query: Type.Object(
      {
        level: Type.Optional(oneOf(LEVELS)),
        outcome: Type.Optional(oneOf(OUTCOMES)),
        after: Type.Optional({ ...Id, description: 'Go on after this line; as the header Last-Event-ID does.' }),
      },
      strict,
    ),
    reply: { 200: Type.Unsafe<string>({ type: 'string', contentMediaType: 'text/event-stream' }) },
    refuses: ['installation-unknown', 'tails-saturated'],
    handle: async ({ principal, params, query, signal, lastEventId }) => {
      const filter = { ...query, after: query.after ?? lastEventId };
      const events = await tails.open(principal, params.id, filter, signal);
      return answer(Readable.from(eventStream(events), { objectMode: false, highWaterMark: 16 * 1024 }), {
        mediaType: 'text/event-stream; charset=utf-8',
        headers: { 'X-Accel-Buffering': 'no' },
      });
    },
  }),
];

/** JSON has no line ends, so that one `data:` line holds an entry. */
async function* eventStream(events: AsyncIterable<TailEvent>): AsyncGenerator<Buffer> {
  for await (const event of events) {
    if (event.type === 'line') {
      yield Buffer.from(`event: line\nid: ${event.entry.id}\ndata: ${JSON.stringify(event.entry)}\n\n`);
    } else yield Buffer.from(event.type === 'beat' ? ': beat\n\n' : 'event: again\nretry: 100\ndata: {}\n\n');
  }
}
