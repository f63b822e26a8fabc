import type { Page, Principal } from '../../../registry/index.ts';
import { STAGING_DECISIONS, STAGING_STATES, type StagingDecision, type StagingState } from './rules/staging-states.ts';

export { STAGING_DECISIONS, STAGING_STATES, type StagingDecision, type StagingState };

/** In which shares of the installations that follow a release arrives, and how long each of them is watched. */
export interface StagingPlan {
  /** In percent, rising; the last one is 100. */
  percents: number[];
  everySeconds: number;
}

/** What releases answered while a staging was watched, over all operators. */
export interface ArmSummary {
  calls: number;
  /** Faults of the plugin, and statuses from 500 on. */
  errors: number;
  /** 95 % of the calls that were answered well took at most so long; null without any. */
  p95Ms: number | null;
}

/** One release on its way to all operators. Sums only: nothing says who they are. */
export interface Staging extends StagingPlan {
  plugin: string;
  version: string;
  state: StagingState;
  /** The present share; 0 before the release is out. */
  percent: number;
  /** Of the present share among `percents`, from 0. */
  stage: number;
  reason: string;
  beganAt: string | null;
  stageAt: string | null;
  endedAt: string | null;
  /** Installations of the plugin that follow its releases, those of them and of the others that run this one, and their operators. */
  installations: { following: number; taken: number; operators: number };
  staged: ArmSummary;
  earlier: ArmSummary;
}

/** What publishers decide about releases on their way. Every refusal is a HostRefusal or RegistryRefusal. */
export interface Stagings {
  /**
   * Before the release is there, or later; again with another plan as long as it is not out. Refuses with: plugin-unknown,
   * staging-invalid, staging-state-invalid.
   */
  plan(actor: Principal, target: StagingTarget, plan: StagingPlan): Promise<Staging>;
  /** Newest first; at most 100. Refuses with: plugin-unknown. */
  list(actor: Principal, plugin: string): Promise<Page<Staging>>;
  /** Idempotent. Refuses with: plugin-unknown, staging-unknown, staging-state-invalid. */
  decide(
    actor: Principal,
    target: StagingTarget,
    command: { decision: StagingDecision; reason: string },
  ): Promise<Staging>;
}

export interface StagingTarget {
  /** `<publisher>/<name>`. */
  plugin: string;
  version: string;
}
