import type { Knex } from 'knex';

/** Recorded invocations, and what each installation may have recorded. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table recordings (
      -- That of the invocation (UUIDv7), so the order of ids is the order of time.
      id uuid primary key,
      installation_id uuid not null references installations on delete cascade,
      release_id uuid not null references releases,
      at timestamptz not null,
      why text not null check (why in ('requested', 'sampled', 'failed')),
      job text not null check (length(job) <= 300),
      -- 'completed' or the code of the fault.
      outcome text not null,
      redacted boolean not null,
      -- gzip of a recording's JSON, and its size.
      content bytea not null,
      bytes integer not null check (bytes = octet_length(content)),
      created_at timestamptz not null default now()
    );
    create index recordings_newest_first on recordings (installation_id, id desc);

    create table recording_settings (
      installation_id uuid primary key references installations on delete cascade,
      failures boolean not null,
      sample_rate double precision not null check (sample_rate between 0 and 1),
      count_per_day integer not null check (count_per_day >= 0),
      bytes_per_day bigint not null check (bytes_per_day >= 0),
      keep_days integer not null check (keep_days >= 1),
      keep_bytes bigint not null check (keep_bytes >= 0),
      share text not null check (share in ('none', 'failures', 'all')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create function notify_recording_settings_change() returns trigger language plpgsql as $$
    begin
      perform pg_notify('gatehouse_changes', tg_table_name || ':' || new.installation_id);
      return null;
    end $$;
    create trigger touch_updated_at before update on recording_settings
      for each row execute function touch_updated_at();
    create trigger notify_change after insert or update on recording_settings
      for each row execute function notify_recording_settings_change();
  `);
}
