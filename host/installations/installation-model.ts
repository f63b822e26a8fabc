import { Model } from 'objection';
import type { Installation } from './contract.ts';

/** A row of `installations`; what comes from joined tables has the prefix of its table. */
export class InstallationModel extends Model {
  static override tableName = 'installations';
  static override jsonAttributes = ['config', 'granted_limits'];
  declare id: string;
  declare operator_id: string;
  declare slug: string;
  declare release_id: string;
  declare grants: string[];
  declare config: unknown;
  declare granted_limits: unknown;
  declare enabled: boolean;
  declare installing: boolean;
  declare deleted_at: Date | null;
  declare created_at: Date;
  declare updated_at: Date;
  declare operator_slug: string;
  declare publisher_slug: string;
  declare plugin_name: string;
  declare release_version: string;
  declare release_bundle_digest: string;
  declare release_blocked: Installation['blocked'];
  /** All of them null where nothing was ever held against it. */
  declare conduct_score: number | null;
  declare conduct_scored_at: Date | null;
  declare conduct_strikes: number | null;
  declare conduct_solitary_since: Date | null;
  declare conduct_suspended_at: Date | null;
  declare conduct_reason: string | null;
  declare follows: string | null;
  declare canary_percent: number;
  declare promote_after_seconds: number | null;
  declare delay_seconds: number;
  declare revision: number;
  declare purge_at: Date | null;
  /** All of them null where no canary runs. */
  declare canary_id: string | null;
  declare canary_release_id: string | null;
  declare canary_share: number | null;
  declare canary_started_at: Date | null;
  declare canary_promote_after_seconds: number | null;
  declare canary_version: string | null;
  /** All of them null where no release waits for consent. */
  declare waiting_id: string | null;
  declare waiting_release_id: string | null;
  declare waiting_since: Date | null;
  declare waiting_reason: string | null;
  declare waiting_version: string | null;
}
