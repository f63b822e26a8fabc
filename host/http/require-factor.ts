import { isSteppedUp, needsFactor, STEP_UP_MS } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Allow, Identity } from './authenticate.ts';
import type { Method } from './route.ts';

/**
 * Checks that a person has confirmed a second factor where the route or their role asks for it. A session of an account that has one
 * always has: there is no logging in without. Programs are let through: their tokens were made by somebody who had to.
 * Refuses with: factor-required, step-up-required.
 */
export function requireFactor(
  { person, principal }: Identity,
  { allow, stepUp = false, method = 'GET' }: { allow: Allow; stepUp?: boolean; method?: Method },
  nowMs: number,
): void {
  if (person === null) return;
  const { factorAtMs } = person;
  // Who they are everybody may ask; to change something, as to end tokens of others, their role needs a factor on such routes too.
  const forOrganisation = typeof allow !== 'string' || (allow === 'any-token' && method !== 'GET');
  const byRole = forOrganisation && principal !== null && needsFactor(principal.role);
  if (factorAtMs === null && (byRole || stepUp)) {
    throw new HostRefusal('factor-required', undefined, byRole ? { role: principal.role } : {});
  }
  if (stepUp && !isSteppedUp(factorAtMs, nowMs)) {
    throw new HostRefusal('step-up-required', undefined, { ageSecondsMax: STEP_UP_MS / 1_000 });
  }
}
