const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds of the system's monotonic clock. Unlike `performance.now()` it has one origin for all threads and
 * processes of a machine, so a deadline can cross from the host into a cordon.
 */
export const monotonicMs = (): number => performance.now() + offsetMs;
