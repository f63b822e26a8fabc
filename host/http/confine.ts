import { type Principal, RegistryRefusal } from '../../registry/index.ts';
import type { Route } from './route.ts';

type Values = Readonly<Record<string, unknown>>;
type Restrictions = NonNullable<Principal['restrictions']>;

/** Refuses an API token that is used from somewhere else than it may be. Microseconds, and none for most tokens. Refuses with: token-restricted. */
export function requireAddress(principal: Principal | null, address: () => string): void {
  const restrictions = principal?.restrictions;
  if (restrictions?.allowsAddress === undefined || restrictions.allowsAddress(address())) return;
  throw new RegistryRefusal('token-restricted', 'The token may not be used from this address.', { address: address() });
}

/** Ways to say what a request is about; everything else is closed to tokens that may touch some things only. */
const ABOUT = {
  /** By the address of the request. */
  installation: ({ installationIds }: Restrictions, { id }: Values) => installationIds?.includes(String(id)) ?? false,
  plugin: ({ plugin }: Restrictions, { publisher, name }: Values) =>
    plugin !== undefined && plugin === `${publisher}/${name}`,
  pluginOfQuery: ({ plugin }: Restrictions, _: Values, query: Values) =>
    plugin !== undefined && plugin === query.plugin,
  /** The use case looks itself, or shows nothing else. */
  itself: () => true,
} as const;

const ROUTES: Readonly<Record<string, keyof typeof ABOUT>> = {
  'GET /v1/whoami': 'itself',
  'GET /v1/installations': 'itself',
  'POST /v1/releases': 'itself',
  'POST /v1/uploads': 'itself',
  'GET /v1/uploads/:id': 'itself',
  'POST /v1/uploads/:id/parts': 'itself',
  'POST /v1/uploads/:id/release': 'itself',
  'DELETE /v1/tokens/:id': 'itself',
  'POST /v1/tokens/:id/rotation': 'itself',
  'PUT /v1/plugins/:publisher/:name/stagings/:version': 'plugin',
  'GET /v1/plugins/:publisher/:name/statistics': 'plugin',
  'GET /v1/releases': 'pluginOfQuery',
  'GET /v1/releases/:publisher/:name/:version': 'plugin',
};
const OF_INSTALLATION = /^\/v1\/installations\/:id(?:\/|$)/;

/** Keeps a token that is restricted to installations or to a plugin from everything else. Refuses with: token-restricted. */
export function confine(
  { method, path }: Pick<Route, 'method' | 'path'>,
  principal: Principal | null,
  params: Values,
  query: Values,
): void {
  const restrictions = principal?.restrictions;
  if (!restrictions?.installationIds && restrictions?.plugin === undefined) return;
  const about = OF_INSTALLATION.test(path) ? 'installation' : ROUTES[`${method} ${path}`];
  if (about !== undefined && ABOUT[about](restrictions, params ?? {}, query ?? {})) return;
  const { installationIds, plugin } = restrictions;
  throw new RegistryRefusal('token-restricted', undefined, {
    ...(installationIds && { installationIds }),
    ...(plugin !== undefined && { plugin }),
  });
}
