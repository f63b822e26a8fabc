import { can, PERMISSIONS, ROLES_OF_KIND, type Role } from '../../registry/index.ts';
import type { Route } from './route.ts';

const PLATFORM_ROLES: readonly Role[] = ROLES_OF_KIND.platform;
const OTHER_ROLES = (Object.keys(PERMISSIONS) as Role[]).filter((role) => !PLATFORM_ROLES.includes(role));

/** Whether a route is for the platform's own people alone: it says so, or nobody else has one of its permissions. */
export const isForAdmins = ({ forAdmins, allow }: Pick<Route, 'forAdmins' | 'allow'>): boolean =>
  forAdmins === true ||
  (typeof allow !== 'string' && !allow.some((permission) => OTHER_ROLES.some((role) => can(role, permission))));
