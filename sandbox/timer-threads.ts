/** How much later a turn may be stopped so that no thread has to be started for it. */
const SLACK = { share: 1 / 4, minMs: 10, maxMs: 50 };

/**
 * isolated-vm lets a timer join a thread that sleeps until an earlier time, and else starts a thread for it. The time until which a
 * turn may run gets earlier with each turn of an invocation that uses up its budget, so 200 of them were 200 threads, more
 * than a cordon may have: it died. Returns the timeout to use in place of a wanted one, in whole milliseconds, a little longer where
 * a thread that is about as early sleeps already.
 */
export function createTimerThreads(nowMs: () => number): (timeoutMs: number) => number {
  /** Until when threads sleep, earliest first. */
  const sleepsUntilMs: number[] = [];
  return (timeoutMs) => {
    const atMs = nowMs();
    while (sleepsUntilMs.length > 0 && sleepsUntilMs[0]! <= atMs) sleepsUntilMs.shift();
    const dueMs = atMs + timeoutMs;
    const first = sleepsUntilMs[0];
    if (first !== undefined && first < dueMs) return timeoutMs;
    const slackMs = Math.min(SLACK.maxMs, Math.max(SLACK.minMs, timeoutMs * SLACK.share));
    if (first !== undefined && first - dueMs <= slackMs) return Math.ceil(first - atMs) + 1;
    sleepsUntilMs.unshift(dueMs);
    return timeoutMs;
  };
}
