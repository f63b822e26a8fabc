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
