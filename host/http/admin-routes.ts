import { can, PERMISSIONS, ROLES_OF_KIND, type Role } from '../../registry/index.ts';
import type { Route } from './route.ts';

const PLATFORM_ROLES: readonly Role[] = ROLES_OF_KIND.platform;
const OTHER_ROLES = (Object.keys(PERMISSIONS) as Role[]).filter((role) => !PLATFORM_ROLES.includes(role));

/**
 * Whether a route is for the platform's own people alone: it says so, it is a tool of development, or nobody else has one of
 * its permissions.
 */
export const isForAdmins = ({ forAdmins, path, allow }: Pick<Route, 'forAdmins' | 'path' | 'allow'>): boolean =>
  forAdmins === true ||
  path.startsWith('/dev/') ||
  (typeof allow !== 'string' && !allow.some((permission) => OTHER_ROLES.some((role) => can(role, permission))));
