/** How late the event loop is for what arrives: the measure of an overloaded host. */

const SAMPLE_MS = 50;
const WINDOW_MS = 1_000;

export interface DelayWindow {
  /** The loop was blocked for `blockedMs` until `atMs`. */
  add(blockedMs: number, atMs: number): void;
  /** Mean wait, in milliseconds, of something that arrived at any moment of the last second. */
  meanMs(atMs: number): number;
}

/**
 * What arrives while the loop is blocked for d waits d/2 on average, and it is d of the last second that does so: the mean
 * wait is the sum of d*d/2 over a second. One long pause counts for more than many short ones, and a short one for almost
 * nothing, which is how callers feel it. A block of more than a second is a window of its own.
 */
export function delayWindow(): DelayWindow {
  const blocks: { atMs: number; blockedMs: number }[] = [];
  return {
    add: (blockedMs, atMs) => {
      if (blockedMs > 0) blocks.push({ atMs, blockedMs });
    },
    meanMs: (atMs) => {
      while (blocks.length > 0 && blocks[0]!.atMs <= atMs - WINDOW_MS) blocks.shift();
      let waitedMs2 = 0;
      let blockedMs = 0;
      for (const block of blocks) {
        waitedMs2 += (block.blockedMs * block.blockedMs) / 2;
        blockedMs += block.blockedMs;
      }
      return waitedMs2 / Math.max(WINDOW_MS, blockedMs);
    },
  };
}

export interface LoopLook {
  /** Mean wait of the last second; see `DelayWindow`. */
  meanMs: number;
  /** Looks in a row, this one included, that came at least twice as late as they should have. */
  lateInRow: number;
}

/**
 * Looks at the loop twenty times a second and tells what it saw. After a block it looks before the loop turns to the
 * requests that came meanwhile, because timers are served before sockets. Returns how to stop.
 */
export function watchEventLoop(onLook: (look: LoopLook) => void): () => void {
  const window = delayWindow();
  let lastMs = performance.now();
  let lateInRow = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const blockedMs = nowMs - lastMs - SAMPLE_MS;
    lastMs = nowMs;
    window.add(blockedMs, nowMs);
    lateInRow = blockedMs >= SAMPLE_MS ? lateInRow + 1 : 0;
    onLook({ meanMs: window.meanMs(nowMs), lateInRow });
  }, SAMPLE_MS);
  timer.unref();
  return () => clearInterval(timer);
}
