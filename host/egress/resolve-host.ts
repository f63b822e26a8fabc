import { Resolver } from 'node:dns/promises';

/** The addresses of a host name; empty where it has none. Rejects where no name server answers. */
export type ResolveHost = (hostName: string) => Promise<string[]>;

/**
 * Asks the name servers of the system, each at most twice. Not `getaddrinfo`: that reads `/etc/hosts`, which may say what is
 * inside, and a slow name server would keep threads from everybody who reads files.
 */
export const resolveByDns: ResolveHost = async (hostName) => {
  const resolver = new Resolver({ timeout: 1_500, tries: 2 });
  const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostName), resolver.resolve6(hostName)]);
  const found = [ipv4, ipv6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found;
  for (const answer of [ipv4, ipv6]) {
    if (answer.status === 'rejected' && !NONE.has((answer.reason as NodeJS.ErrnoException).code ?? ''))
      throw answer.reason;
  }
  return [];
};

/** The name is known to have no such address, or not to exist. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);
