import { Type } from 'typebox';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { type Route, route } from '../http/route.ts';
import type { EventsFeed } from '../webhooks/contract.ts';
import { EVENT_TYPE_NAMES, EVENT_TYPES, type EventType } from '../webhooks/event-types.ts';
import { Id, oneOf, strict, Timestamp } from './fields.ts';

const Event = Type.Object(
  {
    id: Id,
    position: Type.Integer({ description: '1, 2, 3 and so on, for your organisation.' }),
    type: oneOf(EVENT_TYPE_NAMES),
    version: Type.Integer({ description: "Of the payload's schema." }),
    at: Timestamp,
    payload: Type.Unsafe<Json>({ description: 'GET /v1/event-types has the schema of each type.' }),
  },
  { title: 'Event' },
);

const TYPE_PATTERN = EVENT_TYPE_NAMES.map((type) => type.replace('.', '[.]')).join('|');

export interface EventRoutePorts {
  events: EventsFeed;
}

/** What happened to an organisation, for programs. */
export const eventRoutes = ({ events }: EventRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/events',
    consumer: 'Everybody',
    summary: 'What happened and concerns your organisation, oldest first; of the last 30 days. Can wait for more.',
    allow: ['event:read'],
    query: Type.Object(
      {
        after: Type.Optional(
          Type.String({
            pattern: '^(?:latest|[\\x21-\\x7e]{1,64})$',
            description: '`cursor` of the page before; `latest`: only what comes; absent: the oldest that is kept.',
          }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Default 50.' })),
        types: Type.Optional(
          Type.String({
            maxLength: 4_000,
            pattern: `^(?:${TYPE_PATTERN})(?:,(?:${TYPE_PATTERN}))*$`,
            description: 'Only these types, with commas between them.',
          }),
        ),
        wait: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 30, description: 'Seconds to wait where there is nothing yet.' }),
        ),
      },
      strict,
    ),
    reply: {
      200: Type.Object(
        {
          items: Type.Array(Event),
          cursor: Type.String({ description: 'Send it as `after`, also where there was nothing.' }),
          more: Type.Boolean({ description: 'Whether there is more already.' }),
          missed: Type.Boolean({ description: 'Whether events after the cursor have been deleted since.' }),
        },
        { title: 'Events' },
      ),
    },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query: { types, wait, ...query }, signal }) => {
      const wanted = types === undefined ? {} : { types: types.split(',') as EventType[] };
      return events.read(principal, { ...query, ...wanted, ...(wait !== undefined && { waitSeconds: wait }) }, signal);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/event-types',
    consumer: 'Everybody',
    summary: 'Every type of event, with the JSON schema of its payload.',
    allow: 'public',
    reply: {
      200: Type.Object(
        {
          items: Type.Array(
            Type.Object({
              type: oneOf(EVENT_TYPE_NAMES),
              version: Type.Integer(),
              sides: Type.Array(oneOf(['publisher', 'operator'] as const)),
              what: Type.String(),
              payload: Type.Unsafe<Json>({ description: 'JSON schema.' }),
            }),
          ),
        },
        { title: 'EventTypes' },
      ),
    },
    refuses: [],
    handle: () => ({
      items: EVENT_TYPE_NAMES.map((type) => {
        const { version, sides, what, payload } = EVENT_TYPES[type];
        return { type, version, sides: [...sides], what, payload: JSON.parse(JSON.stringify(payload)) as Json };
      }),
    }),
  }),
];
