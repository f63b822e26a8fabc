import { BlockList, isIP } from 'node:net';

/**
 * Addresses that are not the public internet: the IANA special-purpose registries (RFC 6890 and its updates), multicast, and
 * the prefixes of IPv6 that carry an IPv4 address, because behind them may be any of the others.
 */
const SPECIAL_RANGES: readonly (readonly [range: string, what: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', 'the network of a carrier'],
  ['127.0.0.0/8', 'this machine'],
  ['169.254.0.0/16', 'the local link, where clouds keep credentials'],
  // Public by its number alone: a machine in Azure reaches the agent of its own host there.
  ['168.63.129.16/32', 'the agent of a cloud'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'the AS112 service'],
  ['192.52.193.0/24', 'automatic multicast tunnels'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'a private network'],
  ['192.175.48.0/24', 'the AS112 service'],
  ['198.18.0.0/15', 'benchmarks'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved, or broadcast'],
  ['::/128', 'no address'],
  ['::1/128', 'this machine'],
  ['::/96', 'IPv4-compatible addresses'],
  ['::ffff:0:0/96', 'IPv4-mapped addresses'],
  ['64:ff9b::/96', 'translated IPv4 addresses'],
  ['64:ff9b:1::/48', 'translated IPv4 addresses of a private network'],
  ['100::/64', 'the discard prefix'],
  ['2001::/23', 'protocol assignments, Teredo among them'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'the AS112 service'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'the local link'],
  ['fec0::/10', 'a private network'],
  ['ff00::/8', 'multicast'],
];

/** A range of addresses as CIDR; a lone address is a range of one. Throws a RangeError for what is neither. */
export function rangeOf(text: string): BlockList {
  const [address = '', bits, ...more] = text.split('/');
  const family = familyOf(address);
  const bitsMax = family === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? bitsMax : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === null || more.length > 0 || !(length <= bitsMax)) {
    throw new RangeError(`"${text}" is neither an address nor a range such as 10.0.0.0/8`);
  }
  const list = new BlockList();
  list.addSubnet(address, length, family);
  return list;
}

export function isRange(text: string): boolean {
  try {
    rangeOf(text);
    return true;
  } catch {
    return false;
  }
}

const ranges = SPECIAL_RANGES.map(([range, what]) => ({
  range: rangeOf(range),
  what,
  family: familyOf(range.split('/')[0]!),
}));
/** Of IPv6 only this much is given out for the public internet (IANA, global unicast). */
const GLOBAL_UNICAST = rangeOf('2000::/3');

/**
 * Why an address is not the public internet; null where it is. Takes addresses as the system's resolver or a socket writes
 * them; whatever else is no public address either.
 */
export function whySpecial(address: string): string | null {
  const plain = withoutZone(address);
  const family = familyOf(plain);
  if (family === null) return 'not an address';
  // BlockList looks through IPv4-mapped addresses; each family is compared with its own ranges only.
  const found = ranges.find((each) => each.family === family && each.range.check(plain, family));
  if (found) return found.what;
  return family === 'ipv6' && !GLOBAL_UNICAST.check(plain, 'ipv6') ? 'outside of the public internet' : null;
}

/** Whether an address lies in one of some ranges. */
export function isWithin(list: readonly BlockList[], address: string): boolean {
  const plain = withoutZone(address);
  const family = familyOf(plain);
  return family !== null && list.some((range) => range.check(plain, family));
}

const withoutZone = (address: string): string => address.split('%')[0]!;

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : null;
}
