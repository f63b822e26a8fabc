import { can, PERMISSIONS, type Permission, type Role } from './permissions.ts';

/** What narrows a credential beyond its role. Absent members narrow nothing. */
export interface Restrictions {
  /** All that is left of the role's permissions. */
  permissions?: readonly Permission[];
  /** It may touch these installations alone. */
  installationIds?: readonly string[];
  /** `<publisher>/<name>`: it may touch the releases of this plugin alone. */
  plugin?: string;
  /** Addresses and CIDR ranges from which it may come. */
  addressRanges?: readonly string[];
  /** Whether an address is in one of them. Made once, when the token is read. */
  allowsAddress?: (address: string) => boolean;
}

/** Whether somebody may do something: by their role, and by what restrictions have left of it. */
export const may = (
  { role, restrictions }: { role: Role; restrictions?: Restrictions },
  permission: Permission,
): boolean => can(role, permission) && (restrictions?.permissions?.includes(permission) ?? true);

/**
 * What a token may do now: its scopes, if it has any, of what both its role and the role of the member who answers for it may do.
 * Where that member may do less than the token's role, it acts as the member does.
 */
export function tokenRights(token: { role: Role; scopes: readonly string[] | null; holder: Role | null }): {
  role: Role;
  permissions?: readonly Permission[];
} {
  const { role, scopes, holder } = token;
  const ofRole: readonly Permission[] = PERMISSIONS[role];
  const held = holder === null ? ofRole : ofRole.filter((permission) => can(holder, permission));
  const left = scopes === null ? held : held.filter((permission) => scopes.includes(permission));
  const acting = held.length === ofRole.length || holder === null ? role : holder;
  return left.length === ofRole.length && acting === role ? { role } : { role: acting, permissions: left };
}
