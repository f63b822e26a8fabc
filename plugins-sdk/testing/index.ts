/**
 * The test harness for authors: runs a plugin in the real sandbox, with the real limits and permission checks, from any
 * test runner. Only what the plugin stores is kept in memory.
 *
 *   const harness = await startHarness({ folder: `${import.meta.dirname}/..`, config: { greeting: 'Hello' } });
 *   const response = await harness.fetch('/orders/1');
 *   await harness.close();
 */
export { HarnessFault } from './fault-report.ts';
export type { HarnessClock } from './harness-clock.ts';
export {
  type Harness,
  type HarnessDeliverOptions,
  type HarnessEventOptions,
  type HarnessFetchOptions,
  type HarnessLog,
  type HarnessMessage,
  type HarnessOptions,
  HarnessRefusal,
} from './harness-contract.ts';
export { type ReplayedInTest, type ReplayOptions, replay } from './replay.ts';
export { startHarness } from './start-harness.ts';
