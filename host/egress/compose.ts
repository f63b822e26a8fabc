import { FETCH_RESPONSE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { HOST_VERSION } from '../version.ts';
import { type ResolveHost, resolveByDns } from './resolve-host.ts';
import { createEgress, type Egress } from './send-request.ts';
import { rangeOf } from './special-ranges.ts';

/** The way out for plugins, as the admin allows it. */
export const openEgress = (
  { allow, http }: { allow: readonly string[]; http: boolean },
  resolveHost: ResolveHost = resolveByDns,
): Egress =>
  createEgress({
    resolveHost,
    allowed: allow.map(rangeOf),
    allowHttp: http,
    responseBytesMax: FETCH_RESPONSE_BYTES_MAX,
    userAgent: `Gatehouse/${HOST_VERSION}`,
  });
