/**
 * Where a plugin may send requests: `api.example.com` is that host on port 443, `api.example.com:8443` the same on another
 * port, `*.example.com` every host below, `config:endpoint` the host that the operator entered in that field.
 */
export type DeclaredHosts = readonly string[];

const CONFIG = 'config:';
const HOST = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](?::\d{2,5})?$/;

/** The declared hosts with those of the configuration in place of their fields; what is no host there is left out. */
export function hostsOf(declared: DeclaredHosts, config: unknown): string[] {
  const fields = typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
  return declared.flatMap((host) => {
    if (!host.startsWith(CONFIG)) return [host];
    const name = host.slice(CONFIG.length);
    const entered = Object.hasOwn(fields, name) ? hostIn(fields[name]) : null;
    return entered === null ? [] : [entered];
  });
}

/** An operator may enter a host or a whole address. Never a wildcard: that would be the plugin's wish in the operator's name. */
function hostIn(entered: unknown): string | null {
  if (typeof entered !== 'string') return null;
  const host = /^https?:\/\//i.test(entered) ? (URL.parse(entered)?.host ?? '') : entered.toLowerCase();
  return HOST.test(host) && !host.startsWith('*') ? host : null;
}

/** Whether a URL is one of a declared host, port included. */
export function isDeclared(hosts: readonly string[], { hostname, port }: URL): boolean {
  // A final dot names the same host, and makes another string of it.
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  return hosts.some((host) => {
    const [pattern = '', wanted = ''] = host.split(':');
    // A URL does not say the port that goes without saying.
    if ((wanted === '443' ? '' : wanted) !== port) return false;
    return pattern.startsWith('*.')
      ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1))
      : name === pattern;
  });
}
