import type { Knex } from 'knex';

/** Installations, and everything that belongs to one: its kv entries, its log and its usage. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table installations (
      -- Supplied by the client, so that a retry is safe.
      id uuid primary key,
      operator_id uuid not null references organisations,
      slug text not null check (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
      release_id uuid not null references releases,
      grants text[] not null default '{}',
      -- json, not jsonb: configuration comes back as it was given, and may hold \\u0000.
      config json not null default '{}',
      granted_limits jsonb not null default '{}',
      enabled boolean not null default true,
      deleted_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create unique index installations_slug on installations (operator_id, slug) where deleted_at is null;
    create index installations_by_operator on installations (operator_id, id) where deleted_at is null;
    create index installations_by_release on installations (release_id) where deleted_at is null;

    create table kv_entries (
      installation_id uuid not null references installations on delete cascade,
      -- Compared byte by byte, so that lists have one order on every machine.
      key text collate "C" not null check (octet_length(key) between 1 and 1024),
      -- JSON text as the plugin wrote it; never looked into.
      value text not null,
      version bigint not null,
      expires_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (installation_id, key)
    );
    create index kv_entries_by_expiry on kv_entries (expires_at) where expires_at is not null;

    create table installation_logs (
      -- UUIDv7: the order of ids is the order of time.
      id uuid primary key,
      installation_id uuid not null references installations on delete cascade,
      at timestamptz not null,
      invocation_id text not null,
      source text not null check (source in ('console', 'log', 'host')),
      level text not null check (level in ('debug', 'info', 'warn', 'error')),
      message text not null,
      facts json not null default '{}'
    );
    create index installation_logs_newest_first on installation_logs (installation_id, id desc);
    create index installation_logs_by_invocation on installation_logs (installation_id, invocation_id, id desc);

    create table usage (
      installation_id uuid not null references installations on delete cascade,
      hour timestamptz not null check (hour = date_trunc('hour', hour, 'UTC')),
      invocations bigint not null default 0,
      faults bigint not null default 0,
      cpu_ms double precision not null default 0,
      wall_ms double precision not null default 0,
      turns bigint not null default 0,
      host_calls bigint not null default 0,
      input_bytes bigint not null default 0,
      output_bytes bigint not null default 0,
      log_bytes bigint not null default 0,
      executions bigint not null default 0,
      primary key (installation_id, hour)
    );

    create trigger touch_updated_at before update on installations
      for each row execute function touch_updated_at();
    create trigger touch_updated_at before update on kv_entries
      for each row execute function touch_updated_at();
    create trigger notify_change after insert or update or delete on installations
      for each row execute function notify_change();
  `);
}
