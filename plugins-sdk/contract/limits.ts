import { type Static, Type } from 'typebox';

const limit = (unit: string, purpose: string, max: number, min = 1) =>
  Type.Integer({ minimum: min, maximum: max, description: `${purpose} Unit: ${unit}.` });

const MiB = 1024 * 1024;

/** The most any plan may grant. A manifest that asks for more is refused, whatever the operator says. */
export const CEILING_LIMITS: Limits = Object.freeze({
  cpuMs: 1_000,
  wallMs: 60_000,
  heapMiB: 128,
  inputBytes: 8 * MiB,
  outputBytes: 8 * MiB,
  hostCalls: 1_000,
  hostCallsInFlight: 256,
  fetches: 100,
  timers: 1_000,
  pieces: 10_000,
  logBytes: 256 * 1024,
  concurrent: 256,
  queued: 256,
  startupCpuMs: 1_000,
  cpuMsPerSecond: 4_000,
  cpuBurstMs: 60_000,
});

export const LimitsSchema = Type.Object(
  {
    cpuMs: limit('CPU milliseconds', 'CPU time of one invocation, over all its turns.', 1_000),
    wallMs: limit('milliseconds', 'Time from the start of one invocation to its answer.', 60_000),
    heapMiB: limit('MiB', 'V8 heap of the isolate that the installation runs in.', 128),
    inputBytes: limit('bytes', 'Request body or event of one invocation.', 8 * MiB),
    outputBytes: limit('bytes', 'Answer of one invocation, as JSON.', 8 * MiB),
    hostCalls: limit('calls', 'Capability calls of one invocation.', 1_000),
    hostCallsInFlight: limit(
      'calls',
      'Capability calls of one installation that a host carries out at a time; more of them wait. Calls of `fetch` and `plugins` do not count.',
      256,
    ),
    fetches: limit('requests', 'Requests of `fetch` in one invocation.', 100, 0),
    timers: limit('timers', 'setTimeout and setInterval calls of one invocation.', 1_000),
    pieces: limit('pieces', 'Pieces of streamed bodies that one invocation reads and writes.', 10_000),
    logBytes: limit('bytes', 'Log text of one invocation; what is over it is dropped.', 256 * 1024),
    concurrent: limit('invocations', 'Invocations of one installation at the same time.', 256),
    queued: limit('invocations', 'Invocations of one installation that may wait for others to end.', 256, 0),
    startupCpuMs: limit('CPU milliseconds', "CPU time of the bundle's top-level code.", 1_000),
    cpuMsPerSecond: limit(
      'CPU milliseconds per second',
      'CPU time that one installation gets back every second, on each host.',
      4_000,
    ),
    cpuBurstMs: limit('CPU milliseconds', 'CPU time that one installation may use before that counts.', 60_000),
  },
  { additionalProperties: false },
);

/** Every limit of one installation, each named with its unit. */
export type Limits = Static<typeof LimitsSchema>;

/** What an installation gets when neither its manifest nor its operator says otherwise. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  cpuMs: 50,
  wallMs: 10_000,
  heapMiB: 32,
  inputBytes: MiB,
  outputBytes: MiB,
  hostCalls: 100,
  hostCallsInFlight: 32,
  fetches: 20,
  timers: 100,
  pieces: 1_000,
  logBytes: 64 * 1024,
  concurrent: 64,
  queued: 64,
  startupCpuMs: 200,
  cpuMsPerSecond: 500,
  cpuBurstMs: 500,
});

/** Size of a bundle (code only) that may be published, in bytes. */
export const BUNDLE_BYTES_MAX = MiB;

/** The effective limit is the minimum of what was asked, what was granted and the ceiling. */
export function effectiveLimits(asked: Partial<Limits>, granted: Partial<Limits> = {}): Limits {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      Math.min(asked[name] ?? DEFAULT_LIMITS[name], granted[name] ?? CEILING_LIMITS[name], CEILING_LIMITS[name]),
    ]),
  ) as Limits;
}
