import os from 'node:os';

/** How many threads help V8 where nobody says otherwise. */
const HELPERS_MAX = 4;
/** As many as there are cores besides that of a host. More of them take turns with it and with the cordons while they collect garbage. */
const helpers = Math.min(HELPERS_MAX, Math.max(1, (os.availableParallelism?.() ?? os.cpus().length) - 1));

/**
 * How the process of a host runs V8. Requests leave young garbage behind; two halves of 8 MiB are enough for it, and more only makes
 * an idle host larger. What does get old is garbage too, and V8 would let four times the live heap of it gather before it looks:
 * a host then grows for ten minutes until it has its size. With a growth of half it has it after one (benchmarks/README.md).
 * Garbage of the start is collected once, when it is over.
 */
export const HOST_FLAGS = [
  '--min-semi-space-size=8',
  '--max-semi-space-size=8',
  '--heap-growing-percent=50',
  '--expose-gc',
  `--v8-pool-size=${helpers}`,
];
