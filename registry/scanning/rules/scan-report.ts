import type { Manifest } from '../../../plugins-sdk/contract/index.ts';
import type { FamilyId } from './families.ts';

/** From what is worth knowing to what no honest plugin has. `high` and above ask for a second look. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'blocking'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const isAtLeast = (severity: Severity, other: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(other);

/** One thing that somebody should look at. Every text has at most some hundred characters and nothing invisible in it. */
export interface Finding {
  family: FamilyId;
  severity: Severity;
  /** In the author's own file where the release has a map; else in the bundle. Null: it is about the manifest or the whole. */
  place: { file: string; line: number; column: number } | null;
  explanation: string;
  fix: string;
  /** What stands there, shortened. */
  evidence: string;
}

/** What of a release is looked at. */
export interface ScannedRelease {
  manifest: Manifest;
  code: string;
  /** Null where it has none. */
  sourceMap: string | null;
}

/** How far a scan is. */
export interface ScanProgress {
  stage: ScanStage;
  /** 0 to 100, never falling. */
  percent: number;
}

export const SCAN_STAGES = ['waiting', 'reading', 'static', 'running', 'done'] as const;
export type ScanStage = (typeof SCAN_STAGES)[number];

/** What was seen when the release ran in the sandbox, beside what its manifest says. */
export interface DynamicReport {
  /** Routes, hooks and jobs that were run. */
  entries: number;
  /** How many of them ended in a fault: with nothing real around them, some always do. */
  faults: number;
  /** Routes, hooks and jobs that there was no time for, or that are too many. Absent in reports of earlier versions. */
  skipped?: number;
  /** False where its code did not even start. */
  started: boolean;
  /** Capabilities that it called. */
  capabilities: string[];
  /** Hosts that it wanted to reach. */
  hosts: string[];
  undeclaredCapabilities: string[];
  undeclaredHosts: string[];
  /** Declared, and never seen; no fault, but worth a question. */
  unusedCapabilities: string[];
  unusedHosts: string[];
}

/** `second-look`: somebody has to say that they have seen the findings before it can be approved. */
export const VERDICTS = ['clean', 'notes', 'second-look'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface ScanReport {
  verdict: Verdict;
  /** The worst first; at most FINDINGS_MAX. */
  findings: Finding[];
  /** How many more there were. */
  omitted: number;
  /** Null where it was not run. */
  dynamic: DynamicReport | null;
}

/** The scan of one release, as its publisher and moderators see it. */
export interface Scan extends ScanProgress {
  releaseId: string;
  requestedAt: string;
  finishedAt: string | null;
  /** Null until it is done. */
  report: ScanReport | null;
  /** Who took responsibility for findings that ask for a second look, and why. */
  acknowledged: { at: string; reason: string } | null;
}

export const FINDINGS_MAX = 200;
/** Of one family. */
export const FAMILY_FINDINGS_MAX = 25;
