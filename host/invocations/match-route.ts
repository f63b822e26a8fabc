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

  return (method, path) => {
    const segments = decodeSegments(path);
    if (segments === null) return null;
    const fitting = routes.filter((route) => fits(route.segments, segments));
    const found =
      fitting.find((route) => route.method === method) ??
      (method === 'HEAD' ? fitting.find((route) => route.method === 'GET') : undefined);
    if (found) {
      const { key: route, access } = found;
      const params = paramsOf(found.segments, segments);
      return { matched: { route, access, streamsBody: found.body === 'stream', params } };
    }
    return fitting.length > 0 ? { allowed: [...new Set(fitting.map((route) => route.method))] } : null;
  };
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
