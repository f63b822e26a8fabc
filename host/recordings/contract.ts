import type { Recording, RecordingCause } from '../../plugins-sdk/contract/recording.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';
import type { RecordingSettings } from './rules/settings.ts';

/** What is known of a recording without reading it. */
export interface RecordingEntry {
  /** That of the invocation. */
  id: string;
  installationId: string;
  releaseId: string;
  plugin: string;
  version: string;
  /** SHA-256 of the code that ran. */
  bundleDigest: string;
  at: string;
  why: RecordingCause;
  /** `GET /orders/:id`, `hook order.paid`, `schedule tidy` and the like. */
  job: string;
  /** `completed`, or the code of the fault. */
  outcome: string;
  /** Whether values were replaced by placeholders. */
  redacted: boolean;
  /** As it is stored, compressed. */
  bytes: number;
}

/** Recordings of the actor's installations, or of installations of the actor's plugins where their operator shares them. */
export interface Recordings {
  /** Newest first. Refuses with: installation-unknown, recordings-not-shared, cursor-invalid. */
  list(actor: Principal, installationId: string, page: PageRequest): Promise<Page<RecordingEntry>>;
  /** Refuses with: recording-unknown. */
  find(actor: Principal, id: string): Promise<RecordingEntry>;
  /** The recording itself. Refuses with: recording-unknown. */
  read(actor: Principal, id: string): Promise<Recording>;
  /** The code that ran, for its publisher. Refuses with: recording-unknown, permission-denied, release-unknown. */
  bundle(actor: Principal, id: string): Promise<NonNullable<Recording['bundle']>>;
  /** Refuses with: recording-unknown. */
  remove(actor: Principal, id: string): Promise<void>;
  /** Refuses with: installation-unknown. */
  settings(actor: Principal, installationId: string): Promise<RecordingSettings>;
  /**
   * What is absent stays. A publisher may change the sample rate alone, and only where everything is shared with it.
   * Refuses with: installation-unknown, permission-denied.
   */
  configure(actor: Principal, installationId: string, change: Partial<RecordingSettings>): Promise<RecordingSettings>;
}
