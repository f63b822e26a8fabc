import { type Access, type Manifest, routeKey } from '../../plugins-sdk/contract/index.ts';

export interface MatchedRoute {
  /** `<METHOD> <path>` as in the manifest. */
  route: string;
  access: Access;
  /** The handler reads the body piece by piece. */
  streamsBody: boolean;
  params: Record<string, string>;
}

/** A route, the methods that the path has instead, or null where no route has this path. */
export type RouteMatch = { matched: MatchedRoute } | { allowed: string[] } | null;
export type RouteMatcher = (method: string, path: string) => RouteMatch;

/**
 * Compiles the routes of a manifest. A literal segment wins over `:name`, segment by segment from the left; HEAD falls
 * back to GET. Segments are compared after percent-decoding each on its own, so an encoded slash never splits a segment.
 */
export function compileRoutes(manifest: Pick<Manifest, 'routes'>): RouteMatcher {
  const routes = (manifest.routes ?? [])
    .map((route) => ({ ...route, key: routeKey(route), segments: route.path.split('/').slice(1) }))
    .sort((a, b) => (rank(a.segments) < rank(b.segments) ? -1 : 1));

  const plain = plainRoutes(routes);

  return (method, path) => {
    const known = plain.get(path)?.get(method);
    if (known !== undefined) return known;
    const segments = decodeSegments(path);
    if (segments === null) return null;
    const fitting = routes.filter((route) => fits(route.segments, segments));
    const found =
      fitting.find((route) => route.method === method) ??
      (method === 'HEAD' ? fitting.find((route) => route.method === 'GET') : undefined);
    if (found) {
      return { matched: matchedOf(found, paramsOf(found.segments, segments)) };
    }
    return fitting.length > 0 ? { allowed: [...new Set(fitting.map((route) => route.method))] } : null;
  };
}

type CompiledRoute = NonNullable<Manifest['routes']>[number] & { key: string; segments: string[] };

const matchedOf = ({ key: route, access, body }: CompiledRoute, params: Record<string, string>): MatchedRoute => ({
  route,
  access,
  streamsBody: body === 'stream',
  params,
});

const NONE: Record<string, string> = {};

/** By path and method: a route without parameters wins over all others, and is found without a look at segments. */
function plainRoutes(routes: readonly CompiledRoute[]): Map<string, Map<string, { matched: MatchedRoute }>> {
  const plain = new Map<string, Map<string, { matched: MatchedRoute }>>();
  for (const route of routes) {
    // A declared percent sign is compared with what was decoded.
    if (route.segments.some(isParam) || route.path.includes('%')) continue;
    const byMethod = plain.get(route.path) ?? new Map();
    if (!byMethod.has(route.method)) byMethod.set(route.method, { matched: matchedOf(route, NONE) });
    plain.set(route.path, byMethod);
  }
  return plain;
}

const isParam = (segment: string): boolean => segment.startsWith(':');
const rank = (segments: string[]): string => segments.map((segment) => (isParam(segment) ? '1' : '0')).join('');

function decodeSegments(path: string): string[] | null {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return null;
  }
}

function fits(pattern: string[], segments: string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, at) => (isParam(part) ? segments[at] !== '' : part === segments[at]))
  );
}

function paramsOf(pattern: string[], segments: string[]): Record<string, string> {
  return Object.fromEntries(pattern.flatMap((part, at) => (isParam(part) ? [[part.slice(1), segments[at]!]] : [])));
}
