import type { IncomingHttpHeaders } from 'node:http';
import { HostRefusal } from '../errors.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Keeps other sites from acting with what the browser sends by itself: a request that changes something, and proves who sends
 * it by no header that only its sender could set, must come from our own pages or from a program that is no browser.
 * See https://web.dev/articles/fetch-metadata. Refuses with: request-cross-site.
 */
export function refuseCrossSite(method: string, headers: IncomingHttpHeaders, publicOrigin: string): void {
  if (READING.has(method) || headers.authorization !== undefined) return;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new HostRefusal('request-cross-site');
  const { origin } = headers;
  if (origin === undefined || origin === publicOrigin) return;
  // A host that knows itself by another name than the browser does, such as 127.0.0.1 and localhost.
  if (URL.canParse(origin) && new URL(origin).host === headers.host) return;
  throw new HostRefusal('request-cross-site');
}
