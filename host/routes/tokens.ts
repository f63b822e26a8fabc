import { Type } from 'typebox';
import { PERMISSIONS, type Permission, type Registry, ROLES_OF_KIND } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Id, Label, nullable, oneOf, PluginName, Slug, strict, Timestamp } from './fields.ts';

const TOKEN_ROLES = Object.values(ROLES_OF_KIND).flat();
const SCOPES = [...new Set(Object.values(PERMISSIONS).flat())].sort() as Permission[];

const Scopes = Type.Array(oneOf(SCOPES), { description: 'All that is left of what the role may do.' });
const Installations = Type.Array(Id, { description: 'The only installations that it may touch.' });
const Ranges = Type.Array(Type.String({ minLength: 2, maxLength: 49 }), {
  description: 'Addresses and CIDR ranges from which it may come.',
  examples: [['203.0.113.0/24', '2001:db8::/32']],
});
const bounded = { minItems: 1, maxItems: 100, uniqueItems: true };

const ApiToken = Type.Object(
  {
    id: Id,
    organisation: Type.String({ description: 'Slug.' }),
    role: oneOf(TOKEN_ROLES),
    label: Type.String(),
    account: nullable(
      Type.Object({ id: Id, username: Type.String() }, { description: 'The member who answers for it.' }),
    ),
    scopes: nullable(Scopes),
    installationIds: nullable(Installations),
    plugin: nullable(Type.String()),
    addressRanges: nullable(Ranges),
    createdAt: Timestamp,
    expiresAt: nullable(Timestamp),
    lastUsedAt: nullable(Timestamp),
    revokedAt: nullable(Timestamp),
    successorId: nullable(Id),
  },
  { title: 'ApiToken' },
);
export const IssuedToken = Type.Object(
  { token: ApiToken, secret: Type.String({ description: 'Shown this once; only its hash is stored.' }) },
  { title: 'IssuedToken' },
);
const NewToken = Type.Object(
  {
    organisation: Slug,
    role: oneOf(TOKEN_ROLES),
    label: Label,
    expiresAt: Type.Optional(Timestamp),
    scopes: Type.Optional(Type.Array(oneOf(SCOPES), bounded)),
    installationIds: Type.Optional(Type.Array(Id, bounded)),
    plugin: Type.Optional(PluginName),
    addressRanges: Type.Optional(Type.Array(Type.String({ minLength: 2, maxLength: 49 }), bounded)),
  },
  { ...strict, title: 'NewToken' },
);
const OVERLAP_SECONDS_MAX = 30 * 86_400;
const Rotation = Type.Object(
  { overlapSeconds: Type.Integer({ minimum: 0, maximum: OVERLAP_SECONDS_MAX, description: 'How long both work.' }) },
  { ...strict, title: 'Rotation' },
);
const ById = Type.Object({ id: Id });

export interface TokenPorts {
  registry: Pick<Registry, 'issueToken' | 'listTokens' | 'revokeToken' | 'rotateToken' | 'adoptToken'>;
}

/** Credentials of programs. */
export const tokenRoutes = ({ registry }: TokenPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/tokens',
    consumer: 'Everybody',
    summary: 'Issue an API token. Its secret is in this answer and nowhere else.',
    allow: ['token:issue'],
    stepUp: true,
    body: NewToken,
    reply: { 201: IssuedToken },
    refuses: [
      'organisation-unknown',
      'organisation-foreign',
      'role-not-allowed',
      'token-restricted',
      'token-restriction-invalid',
    ],
    handle: ({ principal, body }) => registry.issueToken(principal, body),
  }),
  route({
    method: 'GET',
    path: '/v1/tokens',
    consumer: 'Everybody',
    summary: "List the organisation's API tokens, or, without token:manage, those that you answer for.",
    allow: ['token:issue'],
    reply: { 200: Type.Object({ items: Type.Array(ApiToken), nextCursor: Type.Null() }, { title: 'ApiTokens' }) },
    refuses: [],
    handle: async ({ principal }) => ({ items: await registry.listTokens(principal), nextCursor: null }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/tokens/:id',
    consumer: 'Everybody',
    summary: 'Revoke an API token. A token may always end itself. Safe to repeat.',
    allow: 'any-token',
    params: ById,
    reply: { 200: ApiToken },
    refuses: ['token-unknown'],
    handle: ({ principal, params }) => registry.revokeToken(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/tokens/:id/rotation',
    consumer: 'Everybody',
    summary: 'Replace a token by one that does the same; both work for a while. A token may rotate itself.',
    allow: 'any-token',
    stepUp: true,
    params: ById,
    body: Rotation,
    reply: { 201: IssuedToken },
    refuses: ['token-unknown', 'token-rotated', 'role-not-allowed'],
    handle: ({ principal, params, body }) => registry.rotateToken(principal, params.id, body),
  }),
  route({
    method: 'POST',
    path: '/v1/tokens/:id/adoption',
    consumer: 'Everybody',
    summary: 'Answer for a token yourself, so that it outlives the membership of who did before.',
    allow: ['token:manage'],
    stepUp: true,
    params: ById,
    reply: { 200: ApiToken },
    refuses: ['token-unknown', 'role-not-allowed'],
    handle: ({ principal, params }) => registry.adoptToken(principal, params.id),
  }),
];
