import type { AnyNode } from 'acorn';
import type { Manifest } from '../../../plugins-sdk/contract/index.ts';
import type { ReadCode } from '../read-code.ts';
import type { FamilyId } from '../rules/families.ts';
import type { Severity } from '../rules/scan-report.ts';

/** One thing found at a place of the bundle. */
export interface Hit {
  family: FamilyId;
  severity: Severity;
  /** Offset into the code; null: about the whole, or about the manifest. */
  at: number | null;
  explanation: string;
  /** Absent: the code from `at` on. */
  evidence?: string;
}

export interface Looked {
  code: ReadCode;
  manifest: Manifest;
  report(hit: Hit): void;
}

/** Looks at one node; all detectors look at every node of a bundle in one walk. */
export type Detector = (looked: Looked) => (node: AnyNode, ancestors: readonly AnyNode[]) => void;
