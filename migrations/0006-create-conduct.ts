import type { Knex } from 'knex';

/** How installations behave: strikes, and what they led to. And what organisations are told about it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table installation_strikes (
      id uuid primary key,
      installation_id uuid not null references installations on delete cascade,
      invocation_id text not null,
      at timestamptz not null,
      -- Of the bundle that ran: the installation may have another release by now.
      bundle_digest text not null,
      death text not null,
      exit text not null,
      fault json,
      -- A host that does not know whether its strike was written writes it again.
      unique (installation_id, invocation_id)
    );

    create table installation_conduct (
      installation_id uuid primary key references installations on delete cascade,
      score double precision not null check (score >= 0),
      scored_at timestamptz not null,
      strikes integer not null check (strikes >= 0),
      solitary_since timestamptz,
      suspended_at timestamptz,
      reason text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create function notify_conduct_change() returns trigger language plpgsql as $$
    begin
      perform pg_notify('gatehouse_changes', tg_table_name || ':' || new.installation_id);
      return null;
    end $$;
    create trigger touch_updated_at before update on installation_conduct
      for each row execute function touch_updated_at();
    -- A strike that leads to nothing is no news to hosts: they would forget everything that they keep in memory.
    create trigger notify_conduct_change after update on installation_conduct for each row
      when (old.solitary_since is distinct from new.solitary_since or old.suspended_at is distinct from new.suspended_at)
      execute function notify_conduct_change();

    create table notifications (
      -- UUIDv7: the order of ids is the order of time.
      id uuid primary key,
      organisation_id uuid not null references organisations,
      at timestamptz not null,
      kind text not null check (kind ~ '^[a-z][a-z-]{0,63}$'),
      subject text not null check (length(subject) between 1 and 300),
      body text not null check (length(body) between 1 and 10000),
      facts json not null default '{}',
      read_at timestamptz
    );
    create index notifications_newest_first on notifications (organisation_id, id desc);
  `);
}
