/**
 * What the application role may do with each table; whatever is not here is forbidden. `migrate up` revokes everything
 * and grants this anew, so the role may be replaced and a right may be taken back without a migration.
 */
export const GRANTS: Record<string, string[]> = {
  organisations: ['select', 'insert', 'update (name)'],
  api_tokens: ['select', 'insert', 'update (label, expires_at, revoked_at)'],
  publisher_keys: ['select', 'insert', 'update (label, revoked_at)'],
  plugins: ['select', 'insert', 'update (latest_release_id)'],
  releases: ['select', 'insert', 'update (state, envelope, reasons, reviewed_at)'],
  release_artifacts: ['select', 'insert'],
  installations: [
    'select',
    'insert',
    'update (release_id, slug, grants, config, granted_limits, enabled, deleted_at, updated_at, follows, canary_percent)',
    'update (promote_after_seconds, revision, purge_at)',
  ],
  installation_conduct: [
    'select',
    'insert',
    'update (score, scored_at, strikes, solitary_since, suspended_at, reason)',
  ],
  installation_strikes: ['select', 'insert'],
  notifications: ['select', 'insert', 'update (read_at)'],
  installation_leases: ['select', 'insert', 'update', 'delete'],
  rollouts: ['select', 'insert', 'update (state, percent, promote_after_seconds, reason, facts, ended_at)'],
  rollout_samples: ['select', 'insert', 'update', 'delete'],
  kv_entries: ['select', 'insert', 'update', 'delete'],
  installation_logs: ['select', 'insert', 'delete'],
  recordings: ['select', 'insert', 'delete'],
  recording_settings: ['select', 'insert', 'update'],
  schedule_runs: ['select', 'insert', 'delete'],
  usage: ['select', 'insert', 'update', 'delete'],
  usage_refusals: ['select', 'insert', 'update', 'delete'],
  queue_messages: ['select', 'insert', 'update (state, attempts, due_at, error, updated_at)', 'delete'],
  installation_secrets: ['select', 'insert', 'update (sealed, updated_at)', 'delete'],
  call_results: ['select', 'insert', 'delete'],
  events: ['select', 'insert', 'update (payload)', 'delete'],
  event_deliveries: [
    'select',
    'insert',
    'update (attempt, claims, next_at, claimed_until, given_up_at, error)',
    'delete',
  ],
  installation_grants: ['select', 'insert', 'update (used_at)', 'delete'],
  usage_capabilities: ['select', 'insert', 'update', 'delete'],
  migrations: ['select'],
};
