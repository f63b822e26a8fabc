import type { Page, PageRequest, Principal, Release } from '../contract.ts';
import type { Checklist, CheckWish } from './rules/checklist.ts';
import type { ReleaseComparison } from './rules/compare-with-previous.ts';

/** What moderators give as a reason. A closed set: programs of publishers act on it. */
export const REASON_CODES = [
  'malicious-behaviour',
  'obfuscated-code',
  'undeclared-capability',
  'undeclared-host',
  'excessive-capability',
  'hard-coded-secret',
  'personal-data',
  'vulnerable-code',
  'misleading-listing',
  'confusable-name',
  'licence-problem',
  'does-not-work',
  'key-stolen',
  'legal-order',
  'other',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** A place in the archive that shows it. */
export interface Evidence {
  file: string;
  /** From 1; null: the file as a whole. */
  line: number | null;
  /** What stands there, taken from the archive itself; at most 200 characters. */
  text: string | null;
}

export interface ReviewReason {
  code: ReasonCode;
  message: string;
  evidence: Evidence[];
}

export interface ReasonWish {
  code: ReasonCode;
  message: string;
  evidence?: { file: string; line?: number }[];
}

export const DECISIONS = ['approve', 'request-changes', 'reject'] as const;
export type Decision = (typeof DECISIONS)[number];
/** A resubmission is every later round that no appeal began, also the one in which a held release is rejected. */
export const ROUND_KINDS = ['first', 'resubmission', 'appeal'] as const;

/** One time that a release was before the moderators. */
export interface ReviewRound {
  round: number;
  kind: (typeof ROUND_KINDS)[number];
  /** What its publisher said to it. */
  statement: string | null;
  queuedAt: string;
  /** Id of an account or of a program's token; moderators alone see it. */
  assignedTo: string | null;
  assignedAt: string | null;
  checklist: Checklist;
  decision: Decision | null;
  reasons: ReviewReason[];
  decidedBy: string | null;
  decidedAt: string | null;
  /** By a rule, because its publisher is trusted with patches. */
  automatic: boolean;
}

/** A release that waits for a decision. */
export interface QueuedReview {
  releaseId: string;
  plugin: string;
  version: string;
  round: number;
  kind: ReviewRound['kind'];
  queuedAt: string;
  assignedTo: string | null;
  /** Whether it is assigned to whoever asks. */
  mine: boolean;
}

/** Everything that there is to see of the review of a release. */
export interface Review {
  release: Release;
  /** The newest first. */
  rounds: ReviewRound[];
  /** Against the newest version before it that was published; null where there is none, and for its publisher. */
  comparison: ReleaseComparison | null;
  /** Why no rule approved it; moderators alone see it, while it is in review. */
  notAutomatic: string[];
}

/** How long publishers wait. Times in seconds; null where nothing was decided. */
export interface ReviewFigures {
  from: string;
  to: string;
  decided: number;
  automatic: number;
  approved: number;
  changesRequested: number;
  rejected: number;
  appeals: number;
  appealsGranted: number;
  /** From the queue to the decision, of what moderators decided. */
  turnaroundSecondsP50: number | null;
  turnaroundSecondsP95: number | null;
  /** As of now. */
  waiting: number;
  oldestWaitingSince: string | null;
}

export interface TrustedPublisher {
  publisher: string;
  reason: string;
  since: string;
}

export interface DecisionWish {
  decision: Decision;
  /** At least one, unless it is approved. */
  reasons: ReasonWish[];
  /** Approve, and let the publisher choose when it is published. */
  hold?: boolean;
}

/** How releases are judged and taken down. Every refusal is a RegistryRefusal. */
export interface Reviews {
  /** What waited longest comes first. Refuses with: cursor-invalid. */
  queue(actor: Principal, filter: PageRequest & { assigned?: 'me' | 'nobody' }): Promise<Page<QueuedReview>>;
  /** Moderators and its publisher. Refuses with: release-unknown. */
  find(actor: Principal, releaseId: string): Promise<Review>;
  /** Idempotent. Refuses with: release-unknown, release-state-invalid, review-assigned, review-conflict. */
  assign(actor: Principal, releaseId: string, to: 'me' | 'nobody'): Promise<ReviewRound>;
  /** Refuses with: release-unknown, release-state-invalid, review-assigned, review-conflict. */
  check(actor: Principal, releaseId: string, checks: CheckWish): Promise<ReviewRound>;
  /**
   * What was approved and is held can be rejected still. Refuses with: release-unknown, release-state-invalid,
   * release-signature-invalid, review-assigned, review-conflict, review-checklist-open, review-evidence-invalid.
   */
  decide(actor: Principal, releaseId: string, wish: DecisionWish): Promise<Release>;
  /** Its publisher answers to what was asked. Refuses with: release-unknown, release-state-invalid, token-restricted. */
  resubmit(actor: Principal, releaseId: string, statement: string): Promise<Release>;
  /** Once for each release. Refuses with: release-unknown, release-state-invalid, appeal-spent, token-restricted. */
  appeal(actor: Principal, releaseId: string, statement: string): Promise<Release>;
  /** What was approved and held. Idempotent. Refuses with: release-unknown, release-state-invalid, release-signature-invalid, token-restricted. */
  publishApproved(actor: Principal, releaseId: string): Promise<Release>;
  /** Every host stops it within seconds. Idempotent. Refuses with: release-unknown, release-state-invalid. */
  takeDown(actor: Principal, releaseId: string, reason: ReasonWish): Promise<Release>;
  /** It becomes again what it was. Refuses with: release-unknown, release-state-invalid, release-signature-invalid, review-conflict. */
  restore(actor: Principal, releaseId: string, reason: string): Promise<Release>;
  /** ISO 8601; from is included, to is not; default: the last 30 days. */
  figures(actor: Principal, span: { from?: string; to?: string }): Promise<ReviewFigures>;
  listTrusted(actor: Principal): Promise<TrustedPublisher[]>;
  /** Idempotent. Refuses with: organisation-unknown. */
  trust(actor: Principal, publisher: string, reason: string): Promise<TrustedPublisher>;
  /** Idempotent. Refuses with: organisation-unknown. */
  distrust(actor: Principal, publisher: string): Promise<void>;
  /** By the rules alone; to be called when a release has come into review. True where they approved it. */
  considerAutomatic(releaseId: string): Promise<boolean>;
}
