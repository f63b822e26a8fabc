import { type BlockList, isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { EgressRefusal } from './egress-refusal.ts';
import type { ResolveHost } from './resolve-host.ts';
import { isWithin, rangeOf, whySpecial } from './special-ranges.ts';

export interface ConnectorPorts {
  buildConnector: typeof buildConnector;
  resolveHost: ResolveHost;
  /** Ranges that may be reached although they are not the public internet; the admin's decision alone. */
  allowed: readonly BlockList[];
  /** Of connections that would show secrets to whoever listens on the way. */
  loopbackOnly: boolean;
  connectTimeoutMs: number;
  /** Certificates to trust instead of the system's, PEM; for tests. */
  ca?: string;
}

const LOOPBACK = [rangeOf('127.0.0.0/8'), rangeOf('::1')];

/**
 * Opens sockets to public addresses only. The name is resolved once, every address of the answer is judged, and the socket is
 * opened to one of exactly these: no second resolution can say something else (DNS rebinding). A connection that is reused was
 * judged when it was opened.
 */
export function guardedConnector({
  buildConnector,
  resolveHost,
  allowed,
  loopbackOnly,
  connectTimeoutMs,
  ca,
}: ConnectorPorts): buildConnector.connector {
  const judge = (hostName: string, address: string): void => {
    const why = isWithin(allowed, address) ? null : whySpecial(address);
    if (why === null) {
      if (!loopbackOnly || isWithin(LOOPBACK, address)) return;
      throw new EgressRefusal(
        'fetch-url-refused',
        `A secret goes with requests to ${hostName}, so they go over https: only; over http: to this machine alone.`,
      );
    }
    throw new EgressRefusal(
      'fetch-address-refused',
      `${hostName} leads to ${address}: ${why}. Plugins reach the public internet only.`,
    );
  };

  const pinned = async (hostName: string) => {
    const addresses = await resolveHost(hostName);
    if (addresses.length === 0) throw new EgressRefusal('fetch-failed', `The host name ${hostName} has no address.`);
    for (const address of addresses) judge(hostName, address);
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };
  const lookup: LookupFunction = (hostName, { all }, answer) => {
    pinned(hostName).then(
      (addresses) => (all ? answer(null, addresses) : answer(null, addresses[0]!.address, addresses[0]!.family)),
      (error) => answer(error, []),
    );
  };
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup,
    autoSelectFamily: true,
    ...(ca && { ca }),
  });

  return (options, answer) => {
    const hostName = options.hostname.replace(/^\[(.*)\]$/, '$1');
    try {
      // Node.js looks up no literal address, so nobody else would judge it.
      if (isIP(hostName) !== 0) judge(hostName, hostName);
    } catch (error) {
      return answer(error as Error, null);
    }
    connect(options, (error, socket) => {
      if (error) return answer(error, null);
      try {
        judge(hostName, socket.remoteAddress ?? '');
      } catch (refusal) {
        socket.destroy();
        return answer(refusal as Error, null);
      }
      answer(null, socket);
    });
  };
}
