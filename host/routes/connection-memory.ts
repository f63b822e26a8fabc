import type { Socket } from 'node:net';
import { bearerOf } from '../http/authenticate.ts';
import { headersForPlugin, type PluginHeaders } from '../http/plugin-headers.ts';
import { keepJson } from '../kept-json.ts';
import { type RunTarget, readTarget } from './run-target.ts';

/** Of one connection, in UTF-16 units: there may be ten thousand, and what is longer is rarely said twice. */
const KEPT_UNITS_MAX = 2_048;

/**
 * What was said last on a connection, and what came of it. Programs say the same again and again, and what they say is not taken apart
 * each time: 2 us of a request, half of it for keys of maps, which V8 looks up in its table of strings once for every new text. It is no cache
 * of decisions: whether a token is good and what runs at an address is asked at every request.
 */
export class ConnectionMemory {
  #url = '';
  #target: RunTarget | null = null;
  #authorization = '';
  #bearer = '';
  #rawHeaders: readonly string[] = [];
  #headers: PluginHeaders | null = null;
  #isJsonKept = false;

  /** As `readTarget`. */
  target(url: string): RunTarget {
    if (this.#target !== null && url === this.#url) return this.#target;
    const target = readTarget(url);
    if (url.length <= KEPT_UNITS_MAX) {
      this.#url = url;
      this.#target = target;
    }
    return target;
  }

  /** As `bearerOf`. */
  bearer(authorization: string): string {
    if (this.#bearer !== '' && authorization === this.#authorization) return this.#bearer;
    const bearer = bearerOf(authorization);
    if (authorization.length <= KEPT_UNITS_MAX) {
      this.#authorization = authorization;
      this.#bearer = bearer;
    }
    return bearer;
  }

  /** As `headersForPlugin`. */
  headers(rawHeaders: readonly string[]): PluginHeaders {
    if (this.#headers !== null && isSame(rawHeaders, this.#rawHeaders)) {
      if (!this.#isJsonKept) {
        this.#isJsonKept = true;
        keepJson(this.#headers);
      }
      return this.#headers;
    }
    const headers = headersForPlugin(rawHeaders);
    if (unitsOf(rawHeaders) <= KEPT_UNITS_MAX) {
      this.#rawHeaders = rawHeaders;
      this.#headers = headers;
      this.#isJsonKept = false;
    }
    return headers;
  }
}

const memories = new WeakMap<Socket, ConnectionMemory>();

export function memoryOf(socket: Socket): ConnectionMemory {
  let memory = memories.get(socket);
  if (memory === undefined) {
    memory = new ConnectionMemory();
    memories.set(socket, memory);
  }
  return memory;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}

function unitsOf(texts: readonly string[]): number {
  let units = 0;
  for (const text of texts) units += text.length;
  return units;
}
