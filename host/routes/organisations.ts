import { type Static, Type } from 'typebox';
import {
  type OrganisationKind,
  PERMISSIONS,
  type Principal,
  type Registry,
  RegistryRefusal,
  ROLES_OF_KIND,
  type Role,
} from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Id, Label, nullable, oneOf, Slug, strict, Timestamp } from './fields.ts';

const KINDS = Object.keys(ROLES_OF_KIND) as OrganisationKind[];
const ROLES = Object.keys(PERMISSIONS) as Role[];

const Organisation = Type.Object({ id: Id, slug: Slug, kind: oneOf(KINDS), name: Label }, { title: 'Organisation' });

const Whoami = Type.Object(
  {
    credentialId: Id,
    label: Type.String(),
    role: oneOf(ROLES),
    organisation: Organisation,
    expiresAt: nullable(Timestamp),
    permissions: Type.Array(Type.String()),
  },
  { title: 'Whoami' },
);

const ApiToken = Type.Object(
  {
    id: Id,
    organisation: Type.String({ description: 'Slug.' }),
    role: oneOf(ROLES),
    label: Type.String(),
    createdAt: Timestamp,
    expiresAt: nullable(Timestamp),
    revokedAt: nullable(Timestamp),
  },
  { title: 'ApiToken' },
);
const IssuedToken = Type.Object(
  { token: ApiToken, secret: Type.String({ description: 'Shown this once; only its hash is stored.' }) },
  { title: 'IssuedToken' },
);

const Permissions = Type.Object(
  {
    roles: Type.Record(Type.String(), Type.Array(Type.String())),
    rolesOfKind: Type.Record(Type.String(), Type.Array(Type.String())),
  },
  { title: 'Permissions' },
);

export interface OrganisationPorts {
  registry: Pick<
    Registry,
    'createOrganisation' | 'findOrganisation' | 'issueToken' | 'listTokens' | 'revokeToken' | 'registerKey' | 'listKeys'
  >;
}

/** Who acts and who may: organisations, API tokens, the table of permissions. */
export const organisationRoutes = ({ registry }: OrganisationPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/whoami',
    consumer: 'Everybody',
    summary: 'Who the token belongs to and what it may do.',
    allow: 'any-token',
    reply: { 200: Whoami },
    refuses: [],
    handle: ({ principal }) => whoami(principal),
  }),
  route({
    method: 'GET',
    path: '/v1/permissions',
    consumer: 'Everybody',
    summary: 'Which role may do what.',
    allow: 'public',
    reply: { 200: Permissions },
    refuses: [],
    handle: () => ({ roles: mutable(PERMISSIONS), rolesOfKind: mutable(ROLES_OF_KIND) }),
  }),
  route({
    method: 'POST',
    path: '/v1/organisations',
    consumer: 'Platform',
    summary: 'Create an organisation. Safe to repeat with the same id.',
    allow: ['organisation:create'],
    body: Type.Object({ id: Id, slug: Slug, kind: oneOf(KINDS), name: Label }, { ...strict, title: 'NewOrganisation' }),
    reply: { 201: Organisation },
    refuses: ['slug-taken', 'organisation-id-taken'],
    handle: async ({ principal, body }) => {
      const created = await registry.createOrganisation(body, principal);
      return answer(created, { headers: { Location: `/v1/organisations/${created.slug}` } });
    },
  }),
  route({
    method: 'GET',
    path: '/v1/organisations/:slug',
    consumer: 'Platform',
    summary: 'Read an organisation.',
    allow: ['organisation:read'],
    params: Type.Object({ slug: Slug }),
    reply: { 200: Organisation },
    refuses: ['organisation-unknown'],
    handle: async ({ params }) => {
      const found = await registry.findOrganisation(params.slug);
      if (found === null) throw new RegistryRefusal('organisation-unknown');
      return found;
    },
  }),
  ...tokenRoutes({ registry }),
];

const NewToken = Type.Object(
  { organisation: Slug, role: oneOf(ROLES), label: Label, expiresAt: Type.Optional(Timestamp) },
  { ...strict, title: 'NewToken' },
);

const tokenRoutes = ({ registry }: OrganisationPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/tokens',
    consumer: 'Everybody',
    summary: 'Issue an API token. Its secret is in this answer and nowhere else.',
    allow: ['token:issue'],
    body: NewToken,
    reply: { 201: IssuedToken },
    refuses: ['organisation-unknown', 'organisation-foreign', 'role-not-allowed'],
    handle: ({ principal, body }) => registry.issueToken(principal, body),
  }),
  route({
    method: 'GET',
    path: '/v1/tokens',
    consumer: 'Everybody',
    summary: "List the organisation's API tokens.",
    allow: ['token:issue'],
    reply: { 200: Type.Object({ items: Type.Array(ApiToken), nextCursor: Type.Null() }, { title: 'ApiTokens' }) },
    refuses: [],
    handle: async ({ principal }) => ({ items: await registry.listTokens(principal), nextCursor: null }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/tokens/:id',
    consumer: 'Everybody',
    summary: 'Revoke an API token. Safe to repeat.',
    allow: ['token:issue'],
    params: Type.Object({ id: Id }),
    reply: { 200: ApiToken },
    refuses: ['token-unknown'],
    handle: ({ principal, params }) => registry.revokeToken(principal, params.id),
  }),
];

function whoami({ credentialId, label, role, organisation, expiresAtMs }: Principal): Static<typeof Whoami> {
  const expiresAt = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
  return { credentialId, label, role, organisation, expiresAt, permissions: [...PERMISSIONS[role]] };
}

const mutable = (table: Record<string, readonly string[]>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(table).map(([name, values]) => [name, [...values]]));
