import type { Principal } from '../contract.ts';
import type { Scan, ScanProgress, ScanReport } from './rules/scan-report.ts';

/** What was found in releases before anybody reviewed them: for those who may see it, and for the host that looks. */
export interface Scans {
  /** Publishers see scans of their own releases, moderators all. Refuses with: scan-unknown. */
  find(actor: Principal, releaseId: string): Promise<Scan>;
  /**
   * A moderator, who does not belong to the publisher, has seen the findings and says why the release may be approved all the same; the
   * first reason stays. Refuses with: scan-unknown, scan-running, review-conflict.
   */
  acknowledge(actor: Principal, releaseId: string, reason: string): Promise<Scan>;

  /** For the host itself: the report of a scan, null where there is none or it is not done. */
  reportOf(releaseId: string): Promise<ScanReport | null>;
  /** Refuses with: scan-running, scan-unacknowledged. A release without a scan passes. */
  requireSettled(releaseId: string): Promise<void>;
  /** Takes the release that has waited longest for `leaseMs`; null where none waits. */
  claim(leaseMs: number): Promise<ClaimedScan | null>;
  progress(releaseId: string, progress: ScanProgress, leaseMs: number): Promise<void>;
  /** Writes the report, and lets the release into review, in one transaction; audited. The first report stays: false where there was one. */
  finish(releaseId: string, report: ScanReport): Promise<boolean>;
}

export interface ClaimedScan {
  releaseId: string;
  /** Which attempt this is; a host that dies of a release must not do so for ever. */
  attempt: number;
  /** As it was published. */
  archive: Buffer;
  /** Names of the plugins of other publishers, `<publisher>/<name>`. */
  otherPlugins: string[];
  /** What was found before, where the release came back to be scanned. */
  report: ScanReport | null;
}
