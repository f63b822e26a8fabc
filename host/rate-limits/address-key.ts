import { isIPv6 } from 'node:net';

/**
 * What counts as one address: an IPv4 address, or the /64 of an IPv6 address. Whoever has one IPv6 address has 2^64 of them
 * (RFC 6177), so that a limit for each of them would limit nobody.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  let network = networks.get(address);
  if (network === undefined) {
    network = isIPv6(address) ? networkOf(address) : address;
    if (networks.size >= NETWORKS_MAX) networks.clear();
    networks.set(address, network);
  }
  return network;
}

/** Asked for every request, and worked out for every client. */
const networks = new Map<string, string>();
const NETWORKS_MAX = 10_000;

function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  const [left = '', right] = plain.split('::');
  const groups = left === '' ? [] : left.split(':');
  // An address ends in an IPv4 address at most in its last 32 bits, which are not looked at.
  const after = right === undefined || right === '' ? [] : right.split(':');
  const length = groups.length + after.length + (plain.includes('.') ? 1 : 0);
  if (right !== undefined) groups.push(...Array.from({ length: 8 - length }, () => '0'), ...after);
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
