import { Type } from 'typebox';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { type Route, route } from '../http/route.ts';
import { NOTIFICATION_KINDS, type Notifications } from '../notifications/contract.ts';
import { Id, nullable, oneOf, page, pageFields, strict, Timestamp } from './fields.ts';

const Notification = Type.Object(
  {
    id: Id,
    at: Timestamp,
    kind: oneOf(NOTIFICATION_KINDS),
    subject: Type.String(),
    body: Type.String(),
    facts: Type.Unsafe<Json>({ description: 'What it is about, for programs: ids, versions, times.' }),
    readAt: nullable(Timestamp),
  },
  { title: 'Notification' },
);

export interface NotificationPorts {
  notifications: Notifications;
}

/** What organisations are told without having asked. */
export const notificationRoutes = ({ notifications }: NotificationPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/notifications',
    consumer: 'Everybody',
    summary: "Notifications of the token's organisation, newest first.",
    allow: ['notification:read'],
    query: Type.Object(
      { ...pageFields, unread: Type.Optional(Type.Boolean({ description: 'true: only what nobody has read.' })) },
      strict,
    ),
    reply: { 200: page(Notification, 'Notifications') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query }) => notifications.list(principal, query),
  }),
  route({
    method: 'POST',
    path: '/v1/notifications/:id/read',
    consumer: 'Everybody',
    summary: 'Mark a notification as read, for the whole organisation. Safe to repeat.',
    allow: ['notification:read'],
    params: Type.Object({ id: Id }),
    reply: { 200: Notification },
    refuses: ['notification-unknown'],
    handle: ({ principal, params }) => notifications.markRead(principal, params.id),
  }),
];
