import { type Static, Type } from 'typebox';
import {
  may,
  type OrganisationKind,
  PERMISSIONS,
  type Permission,
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
    permissions: Type.Array(Type.String(), { description: 'What it may do now, with all that narrows it.' }),
    via: oneOf(['token', 'session']),
    account: nullable(Type.Object({ id: Id, username: Type.String() })),
    installationIds: nullable(Type.Array(Id)),
    plugin: nullable(Type.String()),
    addressRanges: nullable(Type.Array(Type.String())),
  },
  { title: 'Whoami' },
);

const Permissions = Type.Object(
  {
    roles: Type.Record(Type.String(), Type.Array(Type.String())),
    rolesOfKind: Type.Record(Type.String(), Type.Array(Type.String())),
  },
  { title: 'Permissions' },
);

export interface OrganisationPorts {
  registry: Pick<Registry, 'createOrganisation' | 'findOrganisation'>;
}

/** Who acts and who may: organisations, and the table of permissions. */
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
    summary: 'Read your organisation; the platform reads all.',
    allow: ['organisation:read'],
    params: Type.Object({ slug: Slug }),
    reply: { 200: Organisation },
    refuses: ['organisation-unknown'],
    handle: async ({ principal, params }) => {
      const { kind, slug } = principal.organisation;
      // Which others there are is for the platform to know.
      const found = kind === 'platform' || slug === params.slug ? await registry.findOrganisation(params.slug) : null;
      if (found === null) throw new RegistryRefusal('organisation-unknown');
      return found;
    },
  }),
];

function whoami(principal: Principal): Static<typeof Whoami> {
  const { credentialId, label, role, organisation, expiresAtMs, via, account, restrictions } = principal;
  return {
    credentialId,
    label,
    role,
    organisation,
    expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    permissions: (PERMISSIONS[role] as readonly Permission[]).filter((permission) => may(principal, permission)),
    via,
    account,
    installationIds: restrictions?.installationIds ? [...restrictions.installationIds] : null,
    plugin: restrictions?.plugin ?? null,
    addressRanges: restrictions?.addressRanges ? [...restrictions.addressRanges] : null,
  };
}

const mutable = (table: Record<string, readonly string[]>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(table).map(([name, values]) => [name, [...values]]));
