import { HostRefusal } from '../errors.ts';
import { isPlainTarget } from '../invocations/rules/plain-target.ts';

/** What the target of a request to a plugin says. */
export interface RunTarget {
  /** `operator/installation`, their slugs. */
  address: string;
  /** Starts with `/`; still percent-encoded. */
  path: string;
  /** With its `?`; empty where there is none. */
  search: string;
}

const TARGET = /^\/run\/([A-Za-z0-9._~-]{1,64}\/[A-Za-z0-9._~-]{1,64})(\/[^?#]*)?(\?[^#]*)?$/;

/** Splits the request target; the rest of the path stays as it was sent. Refuses with: route-unknown, request-malformed. */
export function readTarget(target: string): RunTarget {
  const match = TARGET.exec(target);
  if (match === null) {
    throw new HostRefusal('route-unknown', 'Plugins are at /run/{operator}/{installation}/ and below.');
  }
  const [, address, path = '/', search = ''] = match;
  if (!isPlainTarget(path, search)) {
    throw new HostRefusal('request-malformed', 'Percent-encode the path and the query (RFC 3986); no dot segments.');
  }
  return { address: address!, path, search };
}
