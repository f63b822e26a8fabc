/** Which recordings of an installation its plugin's publisher may see. */
export const SHARES = ['none', 'failures', 'all'] as const;
export type Share = (typeof SHARES)[number];

/** What may be recorded of one installation, and how long it is kept. */
export interface RecordingSettings {
  /** Whether failures are recorded by themselves. */
  failures: boolean;
  /** Part of all invocations that is recorded: 0 none, 1 all. */
  sampleRate: number;
  /** Recordings a day (UTC), for each cause by itself. */
  countPerDay: number;
  /** Compressed bytes a day (UTC), for each cause by itself. */
  bytesPerDay: number;
  keepDays: number;
  /** Compressed bytes of all recordings; the oldest go first. */
  keepBytes: number;
  share: Share;
}

const MiB = 1024 * 1024;

/** Where nobody has decided anything: some failures, seen by the operator alone. */
export const DEFAULT_RECORDING: Readonly<RecordingSettings> = Object.freeze({
  failures: true,
  sampleRate: 0,
  countPerDay: 50,
  bytesPerDay: 4 * MiB,
  keepDays: 7,
  keepBytes: 16 * MiB,
  share: 'none',
});

export const RECORDING_CEILING = Object.freeze({
  countPerDay: 10_000,
  bytesPerDay: 256 * MiB,
  keepDays: 90,
  keepBytes: 1024 * MiB,
});
