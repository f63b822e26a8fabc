/**
 * Sizes of all capabilities. Numbers alone: the guest runtime imports this file, and would carry a schema library into every
 * isolate if it imported those that describe the capabilities.
 */

/** JSON text that one entry may hold. */
export const KV_VALUE_BYTES_MAX = 256 * 1024;
/** Entries of one installation. */
export const KV_ENTRIES_MAX = 100_000;
/** UTF-16 units of a key. */
export const KV_KEY_UNITS_MAX = 512;
/** Keys of one `kv.getMany`. */
export const KV_KEYS_MAX = 50;
/** JSON text of all entries that one `kv.getMany`, or one page of `kv.list`, returns. */
export const KV_READ_BYTES_MAX = 1024 * 1024;
/** Operations of one `kv.transaction`. */
export const KV_OPERATIONS_MAX = 20;

/** Bytes of a request's body, and of an answer's, both decoded. */
export const FETCH_REQUEST_BYTES_MAX = 1024 * 1024;
export const FETCH_RESPONSE_BYTES_MAX = 2 * 1024 * 1024;
/** UTF-16 units of a request's body as it travels: base64 needs four for three bytes. */
export const FETCH_BODY_UNITS_MAX = Math.ceil(FETCH_REQUEST_BYTES_MAX / 3) * 4;
export const FETCH_URL_UNITS_MAX = 8_192;
/** Headers of a request, and UTF-16 units of the value of one. */
export const FETCH_HEADERS_MAX = 64;
export const FETCH_HEADER_UNITS_MAX = 8_192;
/** Milliseconds until the whole answer of one request must be there; the wall limit may end it before. */
export const FETCH_TIMEOUT_MS = 30_000;
/** UTF-16 units of the value of a secret, and secrets of a plugin. */
export const SECRET_UNITS_MAX = 8_192;
export const SECRETS_MAX = 32;
