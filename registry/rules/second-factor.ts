import type { Role } from './permissions.ts';

/** How long a confirmed second factor lets a session do dangerous things. */
export const STEP_UP_MS = 600_000;

const ROLES = new Set<Role>(['moderator', 'admin', 'finance-specialist', 'finance-manager', 'finance-auditor']);

/** Whether people in this role may do nothing at all without a second factor. */
export const needsFactor = (role: Role): boolean => ROLES.has(role);

/** Whether a second factor that was confirmed then is as good as one confirmed now. */
export const isSteppedUp = (factorAtMs: number | null, nowMs: number): boolean =>
  factorAtMs !== null && nowMs - factorAtMs < STEP_UP_MS;
