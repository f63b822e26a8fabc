import { can, type Permission, type Principal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';

/** Finds the owner of a secret, or null where it is malformed, unknown, expired or revoked. Must not be slow: it runs on every request. */
export type FindPrincipal = (secret: string) => Principal | null | Promise<Principal | null>;

/** Who may use a route: anybody, anybody with a valid token, or tokens whose role has one of the permissions. */
export type Allow = 'public' | 'any-token' | readonly [Permission, ...Permission[]];

// RFC 6750, section 2.1. The bound keeps a stranger's header from being hashed at length.
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]{1,512}=*)$/i;

/**
 * Who sends a request, by its Authorization header; null where there is none. The only door for credentials.
 * Refuses with: token-invalid, thrown at once or as a rejection.
 */
export function authenticate(
  findPrincipal: FindPrincipal,
  authorization: string | undefined,
): Principal | null | Promise<Principal | null> {
  if (authorization === undefined) return null;
  const secret = BEARER.exec(authorization)?.[1];
  if (secret === undefined) {
    throw new HostRefusal('token-invalid', 'The Authorization header must read `Bearer <token>`.');
  }
  const found = findPrincipal(secret);
  return found instanceof Promise ? found.then(requireKnown) : requireKnown(found);
}

function requireKnown(principal: Principal | null): Principal {
  if (principal === null) throw new HostRefusal('token-invalid');
  return principal;
}

/** Checks a route's `allow` against who sends the request. Refuses with: token-missing, permission-denied. */
export function permit(principal: Principal | null, allow: Allow): void {
  if (allow === 'public') return;
  if (principal === null) throw new HostRefusal('token-missing');
  if (allow === 'any-token' || allow.some((permission) => can(principal.role, permission))) return;
  throw new HostRefusal('permission-denied', `The role ${principal.role} may not do this.`, {
    role: principal.role,
    needsOneOf: allow,
  });
}
