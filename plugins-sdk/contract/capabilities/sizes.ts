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

/** JSON text of an event's payload, and UTF-16 units of a topic. */
export const EVENT_BYTES_MAX = 64 * 1024;
export const EVENT_TOPIC_UNITS_MAX = 64;
/** Topics that a manifest may publish, and topics that it may subscribe to. */
export const EVENT_TOPICS_MAX = 32;
/** Installations that get one event. */
export const EVENT_SUBSCRIBERS_MAX = 100;
/** Events that an installation may publish at once on one host, and how many of them come back every second. */
export const EVENT_BURST_MAX = 200;
export const EVENTS_PER_SECOND = 20;
/** Deliveries of one operator that may be under way. */
export const EVENT_BACKLOG_MAX = 10_000;
/** Attempts to deliver an event, the first included. */
export const EVENT_ATTEMPTS_MAX = 8;

/** Calls and events that may follow from one another. */
export const CALL_DEPTH_MAX = 4;
/** UTF-16 units of a path with its query, and of a body; headers of a request. */
export const CALL_PATH_UNITS_MAX = 2_048;
export const CALL_BODY_UNITS_MAX = 1024 * 1024;
export const CALL_HEADERS_MAX = 32;

/** UTF-16 units of a message to the operator. */
export const NOTIFY_TITLE_UNITS_MAX = 120;
export const NOTIFY_TEXT_UNITS_MAX = 2_000;
export const NOTIFY_LINK_UNITS_MAX = 512;
/** Messages of one installation within an hour. */
export const NOTIFY_PER_HOUR_MAX = 20;

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
/** Requests of one installation that a host has under way at a time; more of them wait in order. */
export const FETCHES_AT_ONCE_MAX = 64;
/** UTF-16 units of the value of a secret, and secrets of a plugin. */
export const SECRET_UNITS_MAX = 8_192;
export const SECRETS_MAX = 32;

/** JSON text of a message's payload, UTF-16 units of its key, and seconds that it may be delayed. */
export const QUEUE_MESSAGE_BYTES_MAX = 64 * 1024;
export const QUEUE_KEY_UNITS_MAX = 128;
export const QUEUE_DELAY_SECONDS_MAX = 30 * 86_400;
/** Messages of one installation that may wait. */
export const QUEUE_BACKLOG_MAX = 10_000;
/** Attempts of a message, the first included, and seconds before the second, where the manifest does not say. */
export const QUEUE_ATTEMPTS_DEFAULT = 5;
export const QUEUE_BACK_OFF_SECONDS_DEFAULT = 10;

/** Bytes that one operation of `crypto.subtle` takes, and the same as base64. */
export const CRYPTO_INPUT_BYTES_MAX = 1024 * 1024;
export const CRYPTO_INPUT_UNITS_MAX = Math.ceil(CRYPTO_INPUT_BYTES_MAX / 3) * 4;
/** Base64 of a key, a signature, a salt or an initialisation vector. */
export const CRYPTO_KEY_UNITS_MAX = 16 * 1024;
/** Iterations of one PBKDF2. */
export const CRYPTO_ITERATIONS_MAX = 1_000_000;
