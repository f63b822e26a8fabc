import type { Knex } from 'knex';

/** Organisations and their API tokens; functions that the triggers of every table use. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function touch_updated_at() returns trigger language plpgsql as $$
    begin
      new.updated_at := now();
      return new;
    end $$;

    -- Hosts cache what these tables say; the payload is <table>:<id>.
    create function notify_change() returns trigger language plpgsql as $$
    begin
      perform pg_notify('gatehouse_changes', tg_table_name || ':' || coalesce(new.id, old.id));
      return null;
    end $$;

    create table organisations (
      id uuid primary key,
      slug text not null unique check (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
      kind text not null check (kind in ('publisher', 'operator', 'platform')),
      name text not null check (length(name) between 1 and 200),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create table api_tokens (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      role text not null,
      label text not null check (length(label) between 1 and 200),
      -- Of the whole secret. A secret has 190 bits of randomness, so a plain hash cannot be searched.
      secret_sha256 bytea not null unique check (octet_length(secret_sha256) = 32),
      expires_at timestamptz,
      revoked_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index api_tokens_by_organisation on api_tokens (organisation_id, id);

    create trigger touch_updated_at before update on organisations
      for each row execute function touch_updated_at();
    create trigger touch_updated_at before update on api_tokens
      for each row execute function touch_updated_at();
    create trigger notify_change after insert or update or delete on api_tokens
      for each row execute function notify_change();
  `);
}
