import { isIP } from 'node:net';
import type { PasskeyPlace } from '../../registry/index.ts';

/**
 * Where passkeys of a host are for, by its public origin; null where browsers allow none: they want a name, and https for every one
 * but localhost (WebAuthn level 3, 5.1.3). A host on a loopback address is also reached by that name.
 */
export function passkeyPlace(publicOrigin: string): PasskeyPlace | null {
  const { protocol, hostname, port, origin } = new URL(publicOrigin);
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) {
    const isLoopback = address === '::1' || address.startsWith('127.');
    if (!isLoopback) return null;
    return { domain: 'localhost', origins: [`${protocol}//localhost${port === '' ? '' : `:${port}`}`] };
  }
  if (protocol !== 'https:' && hostname !== 'localhost') return null;
  return { domain: hostname, origins: [origin] };
}
