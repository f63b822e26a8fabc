const SCHEMES = ['https:', 'http:', 'wss:', 'ws:'];

/**
 * Host with its port, where it is not the usual one, of the beginning of a URL; null where there is no host in it. Read as `fetch` reads it:
 * slashes, tabs and escapes that it forgives do not make it another one.
 */
export function hostOf(start: string): string | null {
  const url = URL.parse(start);
  return url !== null && SCHEMES.includes(url.protocol) ? url.host.replace(/\.(?=:|$)/, '') : null;
}

/**
 * As the host checks it at each request, where the port of https goes without saying; `config:` hosts are entered by operators and so
 * never written down.
 */
export const isDeclaredHost = (declared: readonly string[], host: string): boolean =>
  declared
    .map((each) => each.replace(/:443$/, ''))
    .some((each) =>
      each.startsWith('*.') ? host.endsWith(each.slice(1)) && host.length > each.length - 1 : each === host,
    );
