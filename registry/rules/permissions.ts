/** Who may do what: one table. Organisations have a kind, tokens have a role, a role has permissions. */
export const PERMISSIONS = {
  publisher: [
    'plugin:read',
    'release:publish',
    'release:read',
    'key:register',
    'key:read',
    'log:read',
    'recording:read',
    'recording:configure',
    'notification:read',
    'token:issue',
  ],
  operator: [
    'plugin:read',
    'installation:create',
    'installation:read',
    'installation:update',
    'installation:delete',
    'installation:invoke',
    'hook:deliver',
    'log:read',
    'recording:read',
    'recording:configure',
    'recording:create',
    'recording:delete',
    'notification:read',
    'token:issue',
  ],
  caller: ['installation:invoke', 'hook:deliver'],
  moderator: ['plugin:read', 'release:read', 'release:review', 'notification:read'],
  admin: [
    'plugin:read',
    'release:read',
    'organisation:create',
    'organisation:read',
    'notification:read',
    'token:issue',
    'host:read',
  ],
} as const;

export type Role = keyof typeof PERMISSIONS;
export type Permission = (typeof PERMISSIONS)[Role][number];

/** Which roles an organisation of each kind may give to its tokens. */
export const ROLES_OF_KIND = {
  publisher: ['publisher'],
  operator: ['operator', 'caller'],
  platform: ['moderator', 'admin'],
} as const satisfies Record<string, readonly Role[]>;

export type OrganisationKind = keyof typeof ROLES_OF_KIND;

export const can = (role: Role, permission: Permission): boolean =>
  (PERMISSIONS[role] as readonly Permission[]).includes(permission);
