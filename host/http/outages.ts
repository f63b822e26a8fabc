/** Errors of sockets: the database's are the only ones that the host itself opens while it answers a request. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

/** SQLSTATE classes and codes that say "not now": https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SQLSTATE_OUTAGE = /^(?:08...|53[0-4]0.|57P0[1-5]|25006)$/;

/** Sentences of pg and of knex's pool, which carry no code. */
const MESSAGES = [
  /^Connection terminated/,
  /^timeout (?:expired|exceeded when trying to connect)/,
  /^Client has encountered a connection error/,
];

/** Knex's full pool, and what `host/database.ts` throws. */
const NAMES = new Set(['KnexTimeoutError', 'DatabaseUnavailable']);

/** Whether an error means that the database cannot be reached now, as opposed to a statement that it refused. */
export function isDatabaseOutage(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 4) return false;
  const { code, syscall, name, message, cause, nativeError, errors } = error as Record<string, unknown>;
  if (typeof code === 'string') {
    if (SOCKET_CODES.has(code) || SQLSTATE_OUTAGE.test(code)) return true;
    // A unix socket that is not there; the same code from the file system is a fault of ours.
    if ((code === 'ENOENT' || code === 'EACCES') && syscall === 'connect') return true;
  }
  if (NAMES.has(name as string)) return true;
  if (typeof message === 'string' && MESSAGES.some((pattern) => pattern.test(message))) return true;
  const inner = [cause, nativeError, ...(Array.isArray(errors) ? errors : [])];
  return inner.some((each) => isDatabaseOutage(each, depth + 1));
}
