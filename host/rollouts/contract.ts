import type { CapabilityName, Json } from '../../plugins-sdk/contract/index.ts';

/**
 * `waiting` for the operator: for consent, or because something stands in its way · `canary`: runs for a share of the calls · `done`: took over · `rolled-back`: a canary
 * that was dropped · `failed`: the plugin or its checks refused it · `superseded`: another came before it could begin.
 */
export const ROLLOUT_STATES = ['waiting', 'canary', 'done', 'rolled-back', 'failed', 'superseded'] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];
export type RolloutEnd = Exclude<RolloutState, 'waiting' | 'canary'>;

/** Who began it: the operator, or the installation's policy when a release appeared. */
export const ROLLOUT_CAUSES = ['operator', 'policy'] as const;
export type RolloutCause = (typeof ROLLOUT_CAUSES)[number];

/** One step of an installation from a release to another, as it is kept for ever. */
export interface Rollout {
  id: string;
  fromVersion: string;
  toVersion: string;
  state: RolloutState;
  cause: RolloutCause;
  /** Share of the calls; 100 where there was no canary. */
  percent: number;
  /** Of a canary; null: its operator promotes it. */
  promoteAfterSeconds: number | null;
  startedAt: string;
  endedAt: string | null;
  /** Why it ended or waits, in words. */
  reason: string;
  /** The same for programs. */
  facts: Json;
}

/** How an installation comes by other releases. */
export interface Updates {
  /** The range of versions that it follows, or `latest`; null: it stays on its release. */
  follows: string | null;
  /** Share of the calls that an update by the policy gets first; 0: it gets all at once. */
  canaryPercent: number;
  /** After so many seconds a canary that is no worse takes over; null: only its operator promotes it. */
  promoteAfterSeconds: number | null;
  /** A release is taken by the policy only when it has been out for so long. */
  delaySeconds: number;
  canary: RunningCanary | null;
  waiting: WaitingRelease | null;
}

export interface RunningCanary {
  rolloutId: string;
  releaseId: string;
  version: string;
  percent: number;
  startedAt: string;
  promoteAfterSeconds: number | null;
}

/** A release that the policy allows and that does not arrive by itself; `reason` says what its operator can do. */
export interface WaitingRelease {
  rolloutId: string;
  releaseId: string;
  version: string;
  since: string;
  reason: string;
}

/** Stays on its release; what there is where nothing else was said. */
export const PINNED: Updates = Object.freeze({
  follows: null,
  canaryPercent: 0,
  promoteAfterSeconds: 1_800,
  delaySeconds: 0,
  canary: null,
  waiting: null,
});

/** A canary as it is run: what it is given may differ from what the stable release is given. */
export interface CanaryTerms {
  rolloutId: string;
  fromReleaseId: string;
  toReleaseId: string;
  percent: number;
  promoteAfterSeconds: number | null;
  grants: CapabilityName[];
  /** What the installation had when the canary began. */
  fromGrants: CapabilityName[];
  config: Json;
  startedAt: string;
}

export type Arm = 'stable' | 'canary';

/** Names of what happens in the life of an installation, as its log has them. A closed set: it labels metrics. */
export const LIFE_EVENTS = [
  'installed',
  'updated',
  'rolled-back',
  'canary-started',
  'canary-changed',
  'canary-promoted',
  'canary-rolled-back',
  'update-waiting',
  'update-failed',
  'granted',
  'configured',
  'limited',
  'policy-changed',
  'signing-accepted',
  'enabled',
  'disabled',
  'uninstalled',
  'restored',
] as const;
export type LifeEvent = (typeof LIFE_EVENTS)[number];
