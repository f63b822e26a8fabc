import type { Knex } from 'knex';

/** What organisations are told as programs: the feed, made from the audit trail, and webhooks that carry it. See decision 31. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- How far the audit trail was read, and the lock that lets one host at a time read on.
    create table feed_cursor (
      only_row boolean primary key default true check (only_row),
      sequence bigint not null,
      -- Makes pseudonyms of operators, which nobody can compute from their ids.
      salt uuid not null default gen_random_uuid()
    );
    insert into feed_cursor (sequence) select sequence from audit_chain;

    create table feed_positions (
      organisation_id uuid primary key references organisations,
      position bigint not null check (position > 0)
    );

    create table feed_events (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      -- 1, 2, 3 and so on for each organisation, in the order of the audit trail.
      position bigint not null check (position > 0),
      type text not null check (type ~ '^[a-z][a-z-]*[.][a-z][a-z-]*$'),
      version smallint not null check (version > 0),
      at timestamptz not null,
      payload json not null check (octet_length(payload::text) <= 16384),
      unique (organisation_id, position)
    );
    create index feed_events_at on feed_events (at);

    create table webhook_endpoints (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      url text not null check (length(url) between 8 and 2000),
      label text not null check (length(label) between 1 and 100),
      -- Empty: all there are.
      types text[] not null default '{}' check (cardinality(types) <= 100),
      state text not null default 'active' check (state in ('active', 'disabled', 'paused')),
      -- Since when nothing was delivered; null after a delivery.
      failing_since timestamptz,
      created_at timestamptz not null
    );
    create index webhook_endpoints_of_organisation on webhook_endpoints (organisation_id);

    -- Several of one endpoint are valid while they are being exchanged.
    create table webhook_secrets (
      id uuid primary key,
      endpoint_id uuid not null references webhook_endpoints on delete cascade,
      organisation_id uuid not null references organisations,
      sealed bytea not null,
      created_at timestamptz not null,
      expires_at timestamptz
    );
    create index webhook_secrets_of_endpoint on webhook_secrets (endpoint_id);

    create table webhook_deliveries (
      id uuid primary key,
      endpoint_id uuid not null references webhook_endpoints on delete cascade,
      organisation_id uuid not null references organisations,
      -- Null: a ping.
      event_id uuid references feed_events on delete cascade,
      cause text not null check (cause in ('event', 'replay', 'ping')),
      state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
      attempts smallint not null default 0,
      next_at timestamptz not null,
      claimed_until timestamptz,
      created_at timestamptz not null,
      ended_at timestamptz,
      check ((event_id is null) = (cause = 'ping')),
      check ((ended_at is null) = (state = 'waiting'))
    );
    create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_at) where state = 'waiting';
    create index webhook_deliveries_of_endpoint on webhook_deliveries (endpoint_id, id desc);
    create index webhook_deliveries_of_event on webhook_deliveries (event_id);
    create index webhook_deliveries_at on webhook_deliveries (created_at);

    create table webhook_attempts (
      id uuid primary key,
      delivery_id uuid not null references webhook_deliveries on delete cascade,
      organisation_id uuid not null references organisations,
      at timestamptz not null,
      ms integer not null check (ms >= 0),
      status smallint,
      error text check (length(error) <= 500),
      -- How the answer begins.
      excerpt text not null default '' check (length(excerpt) <= 1024)
    );
    create index webhook_attempts_of_delivery on webhook_attempts (delivery_id);
  `);
}
