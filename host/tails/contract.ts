import type { Principal } from '../../registry/index.ts';
import type { InstallationLogEntry } from '../installations/contract.ts';

/** How an invocation ended, as far as a line says so. */
export const OUTCOMES = ['completed', 'faulted', 'refused'] as const;
export type LineOutcome = (typeof OUTCOMES)[number];

export interface TailFilter {
  /** This level and above; all where absent. Answered invocations are told at level debug. */
  level?: InstallationLogEntry['level'];
  /** Only lines about invocations that ended so. */
  outcome?: LineOutcome;
  /** Id of the last line that was seen; where absent the stream begins now. */
  after?: string;
}

export type TailEvent =
  | { type: 'line'; entry: InstallationLogEntry }
  /** Nothing happened for a while. */
  | { type: 'beat' }
  /** The end, for no fault of the reader: it may go on after the last line that it has seen. */
  | { type: 'again' };

/** What installations write and how their invocations end, as it happens, on every host. */
export interface Tails {
  /**
   * Operators follow their own installations, publishers those of their plugins. Lines come as fast as they are taken. While
   * somebody follows an installation, every host writes a line for its answered invocations too.
   * Refuses with: installation-unknown, tails-saturated.
   */
  open(
    actor: Principal,
    installationId: string,
    filter: TailFilter,
    signal: AbortSignal,
  ): Promise<AsyncIterable<TailEvent>>;
  /** Ends all of them with `again`. */
  close(): void;
}
