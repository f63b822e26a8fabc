import type { Session } from 'node:inspector';

/** Frames from the host before a profile begins: what comes first is the start and the warming up. */
const FRAMES_BEFORE = 10_000;
const SAMPLING_US = 200;

/** Profiles one lane, once, while it is busy. In cordons of benchmarks only: others are built without it. */
export interface LaneProfiler {
  /** Call it after every batch of frames. */
  tick(frames: number): void;
}

/**
 * Must be called before the thread gives up its permissions, in a cordon that was started with --allow-inspector. `tell` gets the
 * profile as JSON, `profileMs` after it began.
 */
export function openLaneProfiler(profileMs: number, tell: (json: string) => void): LaneProfiler {
  // Asked for here, so that a cordon that profiles nothing does not load it.
  const inspector = process.getBuiltinModule('node:inspector');
  const session: Session = new inspector.Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
  let framesSeen = 0;
  let endsAtMs: number | null = null;
  return {
    tick(frames) {
      framesSeen += frames;
      if (framesSeen < FRAMES_BEFORE) return;
      if (endsAtMs === null) {
        session.post('Profiler.start');
        endsAtMs = performance.now() + profileMs;
      } else if (performance.now() > endsAtMs) {
        endsAtMs = Number.POSITIVE_INFINITY;
        // A session in its own thread answers before `post` returns.
        session.post('Profiler.stop', (error, result) => error === null && tell(JSON.stringify(result.profile)));
        session.disconnect();
      }
    },
  };
}
