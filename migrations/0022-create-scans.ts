import type { Knex } from 'knex';

/** What was found when a release was looked through before its review. One scan for a release, because its code never changes. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table release_scans (
      release_id uuid primary key references releases,
      requested_at timestamptz not null default now(),
      stage text not null default 'waiting' check (stage in ('waiting', 'reading', 'static', 'running', 'done')),
      percent smallint not null default 0 check (percent between 0 and 100),
      -- A host works at it until then; one that dies loses it.
      claimed_until timestamptz,
      attempts smallint not null default 0,
      finished_at timestamptz,
      verdict text check (verdict in ('clean', 'notes', 'second-look')),
      -- {"verdict","findings","omitted","dynamic"}
      report jsonb,
      -- {"at","reason"}: a moderator has seen what asked for a second look.
      acknowledged jsonb,
      check ((stage = 'done') = (finished_at is not null)),
      check ((report is null) = (finished_at is null)),
      check ((verdict is null) = (finished_at is null))
    );
    create index release_scans_open on release_scans (requested_at) where finished_at is null;

    -- Whichever way a release comes to be scanned, there is a scan of it.
    create function request_scan() returns trigger language plpgsql as $$
    begin
      insert into release_scans (release_id) values (new.id) on conflict do nothing;
      return null;
    end $$;
    create trigger request_scan_of_new after insert on releases
      for each row when (new.state = 'scanning') execute function request_scan();
    create trigger request_scan_again after update of state on releases
      for each row when (new.state = 'scanning' and old.state <> 'scanning') execute function request_scan();
  `);
}
