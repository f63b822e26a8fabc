// RFC 3986, 3.3. Anything else is read differently by different URL parsers, so that a route could be matched by one
// path and its handler told another: `..`, `\`, and their percent-encoded dots.
const PATH = /^(?:[/A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
const SEARCH = /^[\x21-\x7e]*$/;

/** Whether a path, and a query with its `?`, mean the same to everybody who parses them. */
export const isPlainTarget = (path: string, search: string): boolean =>
  PATH.test(path) && !DOT_SEGMENT.test(path) && SEARCH.test(search);
