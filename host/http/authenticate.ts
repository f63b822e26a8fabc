import {
  type Membership,
  may,
  type OpenSession,
  type Permission,
  type Person,
  type Principal,
} from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';

/** Finds the owner of a token's secret, or null where it is malformed, unknown, expired or revoked. Must not be slow: it runs on every request. */
export type FindPrincipal = (secret: string) => Principal | null | Promise<Principal | null>;

/** Finds the session of an access token, or null where the token is no good or the session has ended. As quick as FindPrincipal. */
export type FindSession = (accessToken: string) => OpenSession | null | Promise<OpenSession | null>;

/**
 * Who may use a route: anybody; anybody who acts for an organisation; those of them whose role has one of the permissions;
 * or a person for themselves, with or without an organisation, and never an API token.
 */
export type Allow = 'public' | 'any-token' | 'account' | readonly [Permission, ...Permission[]];

/** Who sends a request. At least one of the two is set. */
export interface Identity {
  /** For which organisation; null for a person who has named none of several, or has none. */
  principal: Principal | null;
  /** Null for API tokens. */
  person: Person | null;
}

/** What of a request says who sends it. */
export interface ShownCredentials {
  authorization: string | undefined;
  /** The access token of the session cookie. Counts only where there is no Authorization header. */
  accessCookie: string | undefined;
  /** Slug in the header Gatehouse-Organisation: for which of their organisations a person acts. */
  organisation: string | undefined;
}

// RFC 6750, section 2.1. The bound keeps a stranger's header from being hashed at length.
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]{1,1024}=*)$/i;

/** Access tokens are JWTs; no API token has a dot. */
const isAccessToken = (secret: string): boolean => secret.includes('.');

/**
 * The program that sends a request with a token. The door of the data plane, which takes API tokens alone: what a browser sends by
 * itself must never reach a plugin.
 * Refuses with: token-invalid, thrown at once or as a rejection.
 */
export function authenticate(findPrincipal: FindPrincipal, bearer: string): Principal | Promise<Principal> {
  const found = findPrincipal(bearer);
  return found instanceof Promise ? found.then(requireKnown) : requireKnown(found);
}

/**
 * Who sends a request to the control plane; null where it shows no credential. Refuses with: token-invalid,
 * membership-missing for an organisation that the person does not belong to.
 */
export async function identify(
  ports: { findPrincipal: FindPrincipal; findSession: FindSession },
  { authorization, accessCookie, organisation }: ShownCredentials,
): Promise<Identity | null> {
  const secret = authorization === undefined ? accessCookie : bearerOf(authorization);
  if (secret === undefined) return null;
  if (authorization !== undefined && !isAccessToken(secret)) {
    return { principal: requireKnown(await ports.findPrincipal(secret)), person: null };
  }
  const session = await ports.findSession(secret);
  if (session === null)
    throw new HostRefusal('token-invalid', 'The access token is expired, or its session has ended.');
  return { principal: principalOf(session, organisation), person: session.person };
}

/** The token in an Authorization header. Refuses with: token-invalid. */
export function bearerOf(authorization: string): string {
  const secret = BEARER.exec(authorization)?.[1];
  if (secret !== undefined) return secret;
  throw new HostRefusal('token-invalid', 'The Authorization header must read `Bearer <token>`.');
}

function requireKnown(principal: Principal | null): Principal {
  if (principal === null) throw new HostRefusal('token-invalid');
  return principal;
}

function principalOf({ person, memberships }: OpenSession, slug: string | undefined): Principal | null {
  const membership = chooseMembership(memberships, slug);
  if (membership === null) return null;
  const { account, sessionId, factorAtMs } = person;
  const { organisation, role } = membership;
  return { via: 'session', credentialId: sessionId, label: account.username, role, organisation, account, factorAtMs };
}

/** A person acts for one organisation at a time: the one they name, else the only one there is. */
function chooseMembership(memberships: readonly Membership[], slug: string | undefined): Membership | null {
  if (slug === undefined) return memberships.length === 1 ? memberships[0]! : null;
  const named = memberships.find(({ organisation }) => organisation.slug === slug);
  // The same for one that does not exist: which there are is not for everybody to know.
  if (named === undefined) throw new HostRefusal('membership-missing');
  return named;
}

/** Checks a route's `allow` against who sends the request. Refuses with: token-missing, session-needed, organisation-needed, permission-denied. */
export function permit(identity: Identity | null, allow: Allow): void {
  if (allow === 'public') return;
  if (identity === null) throw new HostRefusal('token-missing');
  const { principal, person } = identity;
  if (allow === 'account') {
    if (person === null) throw new HostRefusal('session-needed');
    return;
  }
  if (principal === null) throw new HostRefusal('organisation-needed');
  if (allow === 'any-token' || allow.some((permission) => may(principal, permission))) return;
  throw new HostRefusal(
    'permission-denied',
    principal.restrictions?.permissions ? 'The token may not do this.' : `The role ${principal.role} may not do this.`,
    {
      role: principal.role,
      needsOneOf: allow,
    },
  );
}
