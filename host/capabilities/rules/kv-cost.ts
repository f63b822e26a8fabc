/** Taking it from the connection to the database, making one text of it, and sending that: 2.7 were measured. */
const MS_PER_MIB = 3;
const KIB = 1024;

/**
 * CPU milliseconds that reading is billed with, by a tariff as crypto.subtle is. Whole KiB count: what is smaller costs the host
 * nothing beside the call itself.
 */
export const kvReadCostMs = (bytes: number): number => (Math.floor(bytes / KIB) / KIB) * MS_PER_MIB;
