import { Type } from 'typebox';
import { answer, type Route, route } from '../http/route.ts';
import type { Privacy } from '../privacy/contract.ts';
import { Id, oneOf, strict, Timestamp } from './fields.ts';

const PersonalExport = Type.Object(
  { id: Id, state: oneOf(['waiting', 'ready', 'failed']), createdAt: Timestamp, expiresAt: Timestamp },
  { title: 'PersonalExport' },
);

export interface PrivacyRoutePorts {
  privacy: Privacy;
}

/** What people may ask for about themselves. */
export const privacyRoutes = ({ privacy }: PrivacyRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/account/exports',
    consumer: 'People',
    summary:
      'Ask for an archive of everything that is kept about you. It is made within a minute and kept for seven days.',
    allow: 'account',
    stepUp: true,
    reply: { 202: PersonalExport },
    refuses: [],
    handle: ({ person }) => privacy.requestExport(person),
  }),
  route({
    method: 'GET',
    path: '/v1/account/exports',
    consumer: 'People',
    summary: 'Your archives, newest first.',
    allow: 'account',
    reply: { 200: Type.Object({ items: Type.Array(PersonalExport) }, { title: 'PersonalExports' }) },
    refuses: [],
    handle: async ({ person }) => ({ items: await privacy.listExports(person) }),
  }),
  route({
    method: 'GET',
    path: '/v1/account/exports/:id/archive',
    consumer: 'People',
    summary: 'Fetch an archive that is ready.',
    allow: 'account',
    stepUp: true,
    params: Type.Object({ id: Id }),
    reply: { 200: Type.Unsafe<string>({ type: 'string', contentMediaType: 'application/json' }) },
    refuses: ['export-unknown'],
    handle: async ({ person, params }) =>
      answer(await privacy.readExport(person, params.id), {
        mediaType: 'application/json; charset=utf-8',
        headers: { 'Content-Disposition': 'attachment; filename="personal-archive.json"' },
      }),
  }),
  route({
    method: 'POST',
    path: '/v1/account/erasure',
    consumer: 'People',
    summary:
      'Erase yourself: your key is destroyed, and nobody can read who you were, here or in a copy. There is no way back.',
    allow: 'account',
    stepUp: true,
    body: Type.Object(
      {
        username: Type.String({ maxLength: 20, description: 'Yours, once more, so that nobody does this by mistake.' }),
      },
      { ...strict, title: 'Erasure' },
    ),
    reply: { 204: null },
    refuses: ['erasure-unconfirmed', 'last-owner'],
    handle: async ({ person, body }) => {
      await privacy.erase(person, body.username);
      return answer(undefined);
    },
  }),
];
