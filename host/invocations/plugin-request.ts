import { isUtf8 } from 'node:buffer';
import type { WireBody, WireRequest } from '../../plugins-sdk/contract/index.ts';
import { HostRefusal } from '../errors.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { compileRoutes, type MatchedRoute, type RouteMatcher } from './match-route.ts';

/** Text where it is valid UTF-8, else base64; null where there is no body. */
export function wireBody(bytes: Buffer): WireBody {
  if (bytes.length === 0) return { body: null, bodyEncoding: 'utf8' };
  return isUtf8(bytes)
    ? { body: bytes.toString('utf8'), bodyEncoding: 'utf8' }
    : { body: bytes.toString('base64'), bodyEncoding: 'base64' };
}

export function bodyBytes({ body, bodyEncoding }: WireBody): Buffer | null {
  return body === null ? null : Buffer.from(body, bodyEncoding);
}

const matchers = new WeakMap<object, RouteMatcher>();

/** The declared route for a request. Refuses with: plugin-route-unknown, method-not-allowed. */
export function findRoute(
  { manifest }: Pick<InstallationFacts, 'manifest'>,
  method: string,
  path: string,
): MatchedRoute {
  const match = matchers.get(manifest) ?? compileRoutes(manifest);
  matchers.set(manifest, match);
  const found = match(method, path);
  if (found === null) {
    const declared = (manifest.routes ?? []).map((route) => `${route.method} ${route.path}`);
    throw new HostRefusal('plugin-route-unknown', undefined, { path, declared });
  }
  if ('allowed' in found) throw new HostRefusal('method-not-allowed', undefined, { method, allowed: found.allowed });
  return found.matched;
}

/** The job for `PluginRunner` that answers one HTTP request on a matched route, with its body, or without where that is streamed. */
export function httpJob(
  { route, params }: MatchedRoute,
  request: Pick<WireRequest, 'method' | 'url' | 'headers'> & { body: Buffer | 'streamed' },
): { kind: 'http'; route: string; params: Record<string, string>; request: WireRequest } {
  const { method, url, headers, body } = request;
  if (body === 'streamed') {
    const none = { body: null, bodyEncoding: 'utf8', streamed: true } as const;
    return { kind: 'http', route, params, request: { method, url, headers, ...none } };
  }
  return { kind: 'http', route, params, request: { method, url, headers, ...wireBody(body) } };
}
