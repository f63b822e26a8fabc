import type { Knex } from 'knex';

/**
 * What capabilities keep: results of calls that must not be done twice, events on their way, when grants were given and used,
 * and what every capability cost.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Written with the effect of a call, in one transaction: whoever makes the call again gets the result and no second effect.
    create table call_results (
      invocation_id text not null,
      call_seq integer not null check (call_seq > 0),
      -- Of the call's arguments: other arguments are another call.
      args_sha256 text not null check (args_sha256 ~ '^[0-9a-f]{64}$'),
      result text not null,
      keep_until timestamptz not null,
      primary key (invocation_id, call_seq)
    );
    create index call_results_by_end on call_results (keep_until);

    create table events (
      id uuid primary key,
      operator_id uuid not null references organisations,
      -- Who published it.
      installation_id uuid not null references installations on delete cascade,
      plugin text not null,
      topic text not null check (topic ~ '^[a-z][a-z0-9.-]{0,63}$'),
      -- JSON text as the plugin wrote it.
      payload text not null,
      -- Events and calls that led to this one.
      depth integer not null check (depth >= 0),
      -- Of the invocations that it is delivered in: one that is executed again is the same.
      seed text not null check (seed ~ '^[0-9a-f]{64}$'),
      published_at timestamptz not null default now()
    );
    create index events_by_time on events (published_at);

    create table event_deliveries (
      event_id uuid not null references events on delete cascade,
      installation_id uuid not null references installations on delete cascade,
      operator_id uuid not null references organisations,
      -- Counts ends. A host that dies within an attempt leaves it to be executed again, under the same name.
      attempt integer not null default 1 check (attempt > 0),
      claims integer not null default 0,
      next_at timestamptz not null default now(),
      claimed_until timestamptz,
      given_up_at timestamptz,
      error text,
      primary key (event_id, installation_id)
    );
    create index event_deliveries_due on event_deliveries (next_at) where given_up_at is null;
    create index event_deliveries_by_operator on event_deliveries (operator_id) where given_up_at is null;

    alter table notifications add column installation_id uuid references installations on delete set null;
    create index notifications_by_installation on notifications (installation_id, at) where installation_id is not null;

    create table installation_grants (
      installation_id uuid not null references installations on delete cascade,
      capability text not null check (capability ~ '^[a-z][a-z0-9.-]{0,63}$'),
      granted_at timestamptz not null default now(),
      used_at timestamptz,
      primary key (installation_id, capability)
    );
    insert into installation_grants (installation_id, capability, granted_at)
      select id, unnest(grants), created_at from installations where deleted_at is null on conflict do nothing;

    -- Whoever changes grants, the times follow.
    create function keep_grant_times() returns trigger language plpgsql as $$
    begin
      delete from installation_grants where installation_id = new.id and not capability = any (new.grants);
      insert into installation_grants (installation_id, capability)
        select new.id, unnest(new.grants) on conflict do nothing;
      return null;
    end $$;
    create trigger keep_grant_times after insert or update of grants on installations
      for each row execute function keep_grant_times();

    create table usage_capabilities (
      installation_id uuid not null references installations on delete cascade,
      hour timestamptz not null check (hour = date_trunc('hour', hour, 'UTC')),
      capability text not null check (capability ~ '^[a-z][a-z0-9.-]{0,63}$'),
      calls bigint not null default 0,
      -- Of the calls.
      refused bigint not null default 0,
      -- Arguments and results.
      bytes bigint not null default 0,
      wall_ms double precision not null default 0,
      primary key (installation_id, hour, capability)
    );
  `);
}
