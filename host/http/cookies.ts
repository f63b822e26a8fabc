/** Cookies of the browser: which names they have, and how they are read and set. */

export interface SessionCookies {
  /** Names on this origin. */
  access: string;
  refresh: string;
  /** A Set-Cookie value. It lives `maxAgeSeconds`; 0 removes it. */
  set(name: string, value: string, maxAgeSeconds: number): string;
}

const LOOPBACK = /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/**
 * The session's cookies for an origin: bound to it (`__Host-`), only over https, out of reach of scripts, never sent along from
 * another site. On plain http of this very machine, where not every browser keeps such cookies, they go by other names.
 */
export function sessionCookies(origin: string): SessionCookies {
  const plain = LOOPBACK.test(origin);
  const prefix = plain ? '' : '__Host-';
  const attributes = `Path=/; HttpOnly; SameSite=Strict${plain ? '' : '; Secure'}`;
  return {
    access: `${prefix}gatehouse-access`,
    refresh: `${prefix}gatehouse-refresh`,
    set: (name, value, maxAgeSeconds) => `${name}=${value}; Max-Age=${maxAgeSeconds}; ${attributes}`,
  };
}

/** What one of our own cookies may hold: base64url with dots. */
const VALUE = /^[A-Za-z0-9._-]{1,1024}$/;

/** The value of a cookie; undefined where it is absent, malformed, or given twice, as by somebody who plants a second one. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 && VALUE.test(values[0]!) ? values[0] : undefined;
}
