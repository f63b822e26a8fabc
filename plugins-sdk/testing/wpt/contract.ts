/** How one subtest ended. `skipped` has a named reason; everything else counts. */
export type SubtestStatus = 'passed' | 'failed' | 'timed-out' | 'not-run' | 'skipped';

export interface Subtest {
  name: string;
  status: SubtestStatus;
  /** Why it failed or was skipped; empty where it passed. */
  message: string;
}

/** One file of the checkout, as it ended. */
export interface FileResult {
  /** From the root of the checkout. */
  path: string;
  subtests: Subtest[];
  /** Why the file was not run; null where it was. */
  skipped: string | null;
}

export interface FolderResult {
  folder: string;
  files: number;
  passed: number;
  failed: number;
  timedOut: number;
  notRun: number;
  /** Percent of the subtests that ran or should have, with one decimal, rounded down. */
  passRate: number;
  /** Reason to number of files, or of subtests in files that were run. */
  skippedFiles: Record<string, number>;
  skippedSubtests: Record<string, number>;
}
