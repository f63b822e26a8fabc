import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Whether an address is one of the `trusted` ones: addresses and CIDR ranges. Throws a sentence that names a faulty entry. */
export function createProxyCheck(trusted: readonly string[]): (address: string) => boolean {
  if (trusted.length === 0) return () => false;
  const proxies = new BlockList();
  for (const entry of trusted) addRange(proxies, entry);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && proxies.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/**
 * The client's address as far as it can be believed: the nearest hop of X-Forwarded-For that is not one of the trusted
 * proxies. What a client wrote itself stands further left and is never reached. `trusted` holds addresses and CIDR ranges.
 */
export function createClientAddress(trusted: readonly string[]): (req: IncomingMessage) => string {
  const isProxy = createProxyCheck(trusted);
  return (req) => {
    let address = plainAddress(req.socket.remoteAddress ?? '');
    if (trusted.length === 0 || !isProxy(address)) return address;
    const hops = (req.headers['x-forwarded-for']?.toString() ?? '').split(',').map((hop) => plainAddress(hop.trim()));
    while (hops.length > 0 && isProxy(address)) {
      const next = hops.pop()!;
      if (isIP(next) === 0) break;
      address = next;
    }
    return address;
  };
}

/** An IPv4 address on an IPv6 socket is still that IPv4 address. */
export const plainAddress = (address: string): string =>
  address.startsWith('::') ? address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '') : address;

/** Throws a sentence that names the entry: the list comes from the configuration. */
function addRange(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/');
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (version === 0 || prefix < 0 || prefix > longest) {
    throw new Error(`"${entry}" is not an address or a CIDR range, such as 10.0.0.0/8.`);
  }
  list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
}
