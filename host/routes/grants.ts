import { Type } from 'typebox';
import { CAPABILITY_NAMES } from '../../plugins-sdk/contract/index.ts';
import type { Grants } from '../grants/contract.ts';
import { type Route, route } from '../http/route.ts';
import { Id, nullable, oneOf, Timestamp } from './fields.ts';

const Grant = Type.Object(
  {
    capability: Type.String(),
    purpose: Type.String({ description: 'What it allows, in a sentence.' }),
    reason: nullable(Type.String()),
    optional: Type.Boolean(),
    granted: Type.Boolean(),
    grantedAt: nullable(Timestamp),
    usedAt: nullable(Timestamp),
    unused: Type.Boolean({ description: 'Granted, and not used for 30 days.' }),
  },
  { title: 'Grant' },
);
const GrantList = Type.Object({ items: Type.Array(Grant) }, { title: 'Grants' });
const Place = Type.Object({ id: Id, capability: oneOf(CAPABILITY_NAMES) });

export interface GrantPorts {
  grants: Grants;
}

/** What installations may do, and what they make use of. */
export const grantRoutes = ({ grants }: GrantPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/grants',
    consumer: 'Operators',
    summary: 'What the plugin asks for, what it was granted, and when it used each.',
    allow: ['installation:read'],
    params: Type.Object({ id: Id }),
    reply: { 200: GrantList },
    refuses: ['installation-unknown'],
    handle: ({ principal, params }) => grants.list(principal, params.id),
  }),
  route({
    method: 'PUT',
    path: '/v1/installations/:id/grants/:capability',
    consumer: 'Operators',
    summary: 'Grant one capability that the plugin asks for. Safe to repeat.',
    allow: ['installation:update'],
    params: Place,
    reply: { 200: GrantList },
    refuses: ['installation-unknown', 'capability-undeclared'],
    handle: ({ principal, params }) => grants.grant(principal, params.id, params.capability),
  }),
  route({
    method: 'DELETE',
    path: '/v1/installations/:id/grants/:capability',
    consumer: 'Operators',
    summary: 'Take one capability away, at once and also from invocations that run. Safe to repeat.',
    allow: ['installation:update'],
    params: Place,
    reply: { 200: GrantList },
    refuses: ['installation-unknown'],
    handle: ({ principal, params }) => grants.revoke(principal, params.id, params.capability),
  }),
];
