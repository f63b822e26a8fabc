import { Type } from 'typebox';
import { SECRET_NAME_PATTERN, SECRET_UNITS_MAX } from '../../plugins-sdk/contract/index.ts';
import { type Route, route } from '../http/route.ts';
import type { Secrets } from '../secrets/contract.ts';
import { Id, nullable, strict, Timestamp } from './fields.ts';

const SecretStatus = Type.Object(
  {
    name: Type.String(),
    reason: Type.String({ description: 'What the publisher says it is for.' }),
    optional: Type.Boolean(),
    send: nullable(
      Type.Object(
        { hosts: Type.Array(Type.String()), header: Type.String() },
        { description: 'Where the host sends it.' },
      ),
    ),
    isSet: Type.Boolean(),
    updatedAt: nullable(Timestamp),
  },
  { title: 'SecretStatus' },
);

const ById = Type.Object({ id: Id });
const ByName = Type.Object({ id: Id, secret: Type.String({ pattern: SECRET_NAME_PATTERN, examples: ['API_KEY'] }) });
/** No line breaks: a secret may become part of a header. */
const Value = Type.String({
  minLength: 1,
  maxLength: SECRET_UNITS_MAX,
  pattern: '^[\\t\\u0020-\\u007e\\u0080-\\u00ff]+$',
  description: 'Goes in and never comes out.',
});

export interface SecretPorts {
  secrets: Secrets;
}

/** Secrets that operators enter for their installations. */
export const secretRoutes = ({ secrets }: SecretPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/secrets',
    consumer: 'Operators',
    summary: 'What secrets the plugin wants, where they are sent, and which are set. Never a value.',
    allow: ['installation:read'],
    params: ById,
    reply: { 200: Type.Object({ items: Type.Array(SecretStatus) }, { title: 'Secrets' }) },
    refuses: ['installation-unknown'],
    handle: async ({ principal, params }) => ({ items: await secrets.list(principal, params.id) }),
  }),
  route({
    method: 'PUT',
    path: '/v1/installations/:id/secrets/:secret',
    consumer: 'Operators',
    summary: 'Enter or replace a secret. It takes effect with the next request.',
    allow: ['installation:update'],
    params: ByName,
    body: Type.Object({ value: Value }, { ...strict, title: 'NewSecret' }),
    reply: { 200: SecretStatus },
    refuses: ['installation-unknown', 'secret-unknown'],
    handle: ({ principal, params, body }) => secrets.set(principal, params.id, params.secret, body.value),
  }),
  route({
    method: 'DELETE',
    path: '/v1/installations/:id/secrets/:secret',
    consumer: 'Operators',
    summary: 'Remove a secret. Safe to repeat.',
    allow: ['installation:update'],
    params: ByName,
    reply: { 204: null },
    refuses: ['installation-unknown'],
    handle: async ({ principal, params }) => {
      await secrets.remove(principal, params.id, params.secret);
      return undefined;
    },
  }),
];
