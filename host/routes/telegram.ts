import { Type } from 'typebox';
import type { Telegram } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { nullable, strict, Timestamp } from './fields.ts';

export interface TelegramRoutePorts {
  telegram: Pick<Telegram, 'status' | 'link' | 'unlink'>;
}

const Link = Type.Object({ linkedAt: Timestamp, lastUsedAt: nullable(Timestamp) }, { title: 'TelegramLink' });

/** The link between a person's account and theirs of Telegram. */
export const telegramRoutes = ({ telegram }: TelegramRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/account/telegram',
    consumer: 'People',
    summary: 'Whether your account is linked to one of Telegram.',
    allow: 'account',
    reply: { 200: Type.Object({ link: nullable(Link) }, { title: 'TelegramStatus' }) },
    refuses: [],
    handle: async ({ person }) => ({ link: await telegram.status(person.account.id) }),
  }),
  route({
    method: 'PUT',
    path: '/v1/account/telegram',
    consumer: 'People',
    summary: 'Link your account to whoever opened the Mini App. Ends your other sessions.',
    allow: 'account',
    body: Type.Object(
      { initData: Type.String({ minLength: 1, maxLength: 4_096 }) },
      { ...strict, title: 'TelegramLinking' },
    ),
    reply: { 200: Link },
    refuses: [
      'confirmation-needed',
      'telegram-unavailable',
      'telegram-data-invalid',
      'telegram-data-stale',
      'telegram-data-used',
      'telegram-taken',
    ],
    handle: ({ person, body }) => telegram.link(person, body),
  }),
  route({
    method: 'DELETE',
    path: '/v1/account/telegram',
    consumer: 'People',
    summary: 'End the link. Ends your other sessions.',
    allow: 'account',
    reply: { 204: null },
    refuses: ['confirmation-needed', 'telegram-unlinked', 'last-way-in'],
    handle: async ({ person }) => {
      await telegram.unlink(person);
      return undefined;
    },
  }),
];
