/** Who may do what: one table. Organisations have a kind, members and tokens have a role, a role has permissions. */

const PUBLISHING = [
  'plugin:read',
  'release:publish',
  'release:read',
  'release:manage',
  'key:register',
  'key:revoke',
  'key:read',
  'rating:reply',
  'statistics:read',
  'log:read',
  'recording:read',
  'notification:read',
  'event:read',
  'organisation:read',
  'member:read',
  'token:issue',
] as const;

const VIEWING = [
  'plugin:read',
  'installation:read',
  'log:read',
  'recording:read',
  'notification:read',
  'event:read',
  'organisation:read',
  'member:read',
] as const;

const OPERATING = [
  ...VIEWING,
  'installation:create',
  'installation:update',
  'installation:delete',
  'installation:invoke',
  'rating:write',
  'hook:deliver',
  'recording:configure',
  'recording:create',
  'recording:delete',
  'token:issue',
] as const;

/** What an owner may do with the organisation itself. */
const OWNING = [
  'organisation:update',
  'organisation:transfer',
  'member:invite',
  'member:update',
  'member:remove',
  'token:manage',
  'audit:read',
] as const;

const STAFF = ['plugin:read', 'release:read', 'organisation:read', 'member:read', 'notification:read'] as const;

export const PERMISSIONS = {
  /** A person with no organisation in play: their own account, and nothing of an organisation. */
  user: [],
  publisher: [...PUBLISHING, 'recording:configure', 'webhook:manage', ...OWNING],
  developer: PUBLISHING,
  'operator-owner': [...OPERATING, 'installation:override', 'webhook:manage', ...OWNING],
  'operator-manager': [...OPERATING, 'webhook:manage', 'member:invite'],
  'operator-viewer': VIEWING,
  /** Programs only. */
  caller: ['installation:invoke', 'hook:deliver'],
  moderator: [
    ...STAFF,
    'rating:moderate',
    'release:review',
    'release:suspend',
    'release:manage',
    'key:revoke',
    'token:issue',
  ],
  admin: [
    ...STAFF,
    ...OWNING,
    'release:suspend',
    'publisher:trust',
    'release:import',
    'organisation:create',
    'account:unlock',
    'token:issue',
    'host:read',
  ],
  'finance-specialist': STAFF,
  'finance-manager': STAFF,
  'finance-auditor': [...STAFF, 'audit:read'],
  analyst: [...STAFF, 'statistics:read'],
} as const;

export type Role = keyof typeof PERMISSIONS;
export type Permission = (typeof PERMISSIONS)[Role][number];

/** Which roles an organisation of each kind has. The first is its owner's. */
export const ROLES_OF_KIND = {
  publisher: ['publisher', 'developer'],
  operator: ['operator-owner', 'operator-manager', 'operator-viewer', 'caller'],
  platform: ['admin', 'moderator', 'finance-specialist', 'finance-manager', 'finance-auditor', 'analyst'],
} as const satisfies Record<string, readonly [Role, ...Role[]]>;

export type OrganisationKind = keyof typeof ROLES_OF_KIND;
/** What a token can act as. */
export type TokenRole = (typeof ROLES_OF_KIND)[OrganisationKind][number];
/** What a member of an organisation can be: people are no callers. */
export type MemberRole = Exclude<TokenRole, 'caller'>;

export const can = (role: Role, permission: Permission): boolean =>
  (PERMISSIONS[role] as readonly Permission[]).includes(permission);

/** Whether an organisation of this kind has this role at all. */
export const isRoleOfKind = (kind: OrganisationKind, role: Role): role is TokenRole =>
  (ROLES_OF_KIND[kind] as readonly Role[]).includes(role);

/** Nobody makes somebody who may do more than they: owners give every role of their kind, others what theirs contains. */
export const mayGive = (giver: Role, kind: OrganisationKind, role: Role): boolean =>
  isRoleOfKind(kind, role) &&
  (giver === ownerRole(kind) || PERMISSIONS[role].every((permission) => can(giver, permission)));

/** The role of an organisation's owners; an organisation with members has at least one. */
export const ownerRole = (kind: OrganisationKind): MemberRole => ROLES_OF_KIND[kind][0];
