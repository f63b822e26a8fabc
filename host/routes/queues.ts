import { Type } from 'typebox';
import { type Json, QUEUE_PATTERN } from '../../plugins-sdk/contract/index.ts';
import { type Route, route } from '../http/route.ts';
import type { Queues } from '../queues/contract.ts';
import { Id, nullable, oneOf, page, pageFields, strict, Timestamp } from './fields.ts';

const STATES = ['waiting', 'done', 'dead'] as const;
const QueueMessage = Type.Object(
  {
    id: Id,
    queue: Type.String(),
    state: oneOf(STATES, 'dead: every attempt failed; it waits for a decision.'),
    attempts: Type.Integer({ minimum: 0, description: 'Attempts that failed.' }),
    attemptsMax: Type.Integer({ minimum: 1 }),
    dueAt: Timestamp,
    createdAt: Timestamp,
    error: nullable(Type.String({ description: 'The code that the last attempt failed with.' })),
    payload: Type.Unsafe<Json>({ description: 'Any JSON.' }),
  },
  { title: 'QueueMessage' },
);

const ById = Type.Object({ id: Id });
const ByMessage = Type.Object({ id: Id, message: Id });

export interface QueuePorts {
  queues: Queues;
}

/** Messages that plugins put off, and what became of them. */
export const queueRoutes = ({ queues }: QueuePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/queue',
    consumer: 'Operators',
    summary: 'Messages of an installation, newest first; `state=dead` shows those that failed for good.',
    allow: ['installation:read'],
    params: ById,
    query: Type.Object(
      {
        ...pageFields,
        state: Type.Optional(oneOf(STATES)),
        queue: Type.Optional(Type.String({ pattern: QUEUE_PATTERN })),
      },
      strict,
    ),
    reply: { 200: page(QueueMessage, 'QueueMessages') },
    refuses: ['installation-unknown', 'cursor-invalid'],
    handle: ({ principal, params, query }) => queues.list(principal, params.id, query),
  }),
  route({
    method: 'POST',
    path: '/v1/installations/:id/queue/:message/retry',
    consumer: 'Operators',
    summary: 'Give a dead message all its attempts again. What it has done already is not done twice.',
    allow: ['installation:update'],
    params: ByMessage,
    reply: { 200: QueueMessage },
    refuses: ['installation-unknown', 'queue-message-unknown'],
    handle: ({ principal, params }) => queues.retry(principal, params.id, params.message),
  }),
  route({
    method: 'DELETE',
    path: '/v1/installations/:id/queue/:message',
    consumer: 'Operators',
    summary: 'Remove a message. Safe to repeat.',
    allow: ['installation:update'],
    params: ByMessage,
    reply: { 204: null },
    refuses: ['installation-unknown'],
    handle: async ({ principal, params }) => {
      await queues.remove(principal, params.id, params.message);
      return undefined;
    },
  }),
];
