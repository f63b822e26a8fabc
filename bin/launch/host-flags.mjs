/**
 * How the process of a host runs V8. Requests leave young garbage behind: with the usual 16 MiB for the young, V8 copies much
 * of what is only just still in use; 32 MiB took 15 % of a warm invocation's CPU time in the host away, and made the process
 * smaller. What does get old is garbage too, and V8 would let four times the live heap of it gather before it looks: a host
 * then grows for ten minutes until it has its size. With a growth of half it has it after one (benchmarks/README.md).
 */
export const HOST_FLAGS = ['--min-semi-space-size=32', '--max-semi-space-size=32', '--heap-growing-percent=50'];
