/** How long something is kept. */
export interface RetentionRule {
  table: string;
  /** The time that counts. */
  column: string;
  keepDays: number;
  /** For the documentation. */
  what: string;
  /** Only rows of which this is true; SQL of our own. */
  only?: string;
}

/** What the sweep of this file deletes. docs/privacy.md shows this and what others sweep; a test compares. */
export const RETENTION: readonly RetentionRule[] = [
  {
    table: 'sessions',
    column: 'last_seen_at',
    keepDays: 90,
    what: 'sessions that have ended',
    only: '(revoked_at is not null or expires_at < now())',
  },
  { table: 'login_throttles', column: 'last_failed_at', keepDays: 30, what: 'failed logins' },
  {
    table: 'mail_outbox',
    column: 'created_at',
    keepDays: 30,
    what: 'mail that was sent or given up',
    only: '(sent_at is not null or given_up_at is not null)',
  },
  { table: 'notifications', column: 'at', keepDays: 365, what: 'notifications' },
  { table: 'installation_strikes', column: 'at', keepDays: 365, what: 'strikes' },
  { table: 'installation_logs', column: 'at', keepDays: 90, what: 'logs of plugins' },
  { table: 'release_usage', column: 'day', keepDays: 90, what: 'daily use of releases by one installation' },
  { table: 'listing_views', column: 'day', keepDays: 730, what: 'views of listings by day' },
  { table: 'plugin_statistics', column: 'day', keepDays: 730, what: 'daily statistics of plugins' },
  {
    table: 'uploads',
    column: 'expires_at',
    keepDays: 0,
    what: 'uploads that were not published within a day, with their parts',
  },
  {
    table: 'webhook_deliveries',
    column: 'created_at',
    keepDays: 30,
    what: 'deliveries of webhooks with their logs',
    only: "state <> 'waiting'",
  },
  {
    table: 'feed_events',
    column: 'at',
    keepDays: 30,
    what: 'events of the feed',
    only: 'not exists (select 1 from webhook_deliveries as sent where sent.event_id = feed_events.id)',
  },
  { table: 'webhook_secrets', column: 'expires_at', keepDays: 0, what: 'secrets of webhooks that were replaced' },
  {
    table: 'invitations',
    column: 'created_at',
    keepDays: 365,
    what: 'invitations that have ended',
    only: "(state <> 'open' or expires_at < now())",
  },
  {
    table: 'personal_exports',
    column: 'expires_at',
    keepDays: 0,
    what: 'archives of personal data, seven days after they were asked for',
  },
];
