import { EVENT_ATTEMPTS_MAX } from '../../../plugins-sdk/contract/index.ts';

const FIRST_MS = 1_000;
const FACTOR = 4;

/** What is waited after an attempt that failed (1, 4, 16 seconds and so on); null after the last. */
export const delayAfter = (attempt: number): number | null =>
  attempt >= EVENT_ATTEMPTS_MAX ? null : FIRST_MS * FACTOR ** (attempt - 1);
