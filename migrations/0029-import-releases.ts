import type { Knex } from 'knex';

/** How the registry came from key to key, releases that came from another registry, and uploads that say of which plugin they are. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Null: said by who publishes it.
    alter table uploads add column plugin text check (plugin ~ '^[a-z0-9-]{1,100}/[a-z0-9-]{1,100}$');

    -- Signed by both keys (KeyLink of the contract), so whoever has the database alone cannot add one.
    create table registry_key_links (
      from_key_id text primary key check (from_key_id ~ '^[0-9a-f]{64}$'),
      to_key_id text not null unique check (to_key_id ~ '^[0-9a-f]{64}$' and to_key_id <> from_key_id),
      link jsonb not null,
      created_at timestamptz not null default now()
    );

    create function keep_registry_key_links() returns trigger language plpgsql as $$
    begin
      raise exception 'how the registry came to its key never changes' using errcode = 'restrict_violation';
    end $$;
    create trigger keep_registry_key_links before update or delete or truncate on registry_key_links
      for each statement execute function keep_registry_key_links();

    -- Publishers of another registry, without members here; nobody can log in as them.
    create table imported_publishers (
      organisation_id uuid primary key references organisations,
      -- The key that was trusted when they came. Their registry is that one, and those that follow from it.
      root_key_id text not null check (root_key_id ~ '^[0-9a-f]{64}$'),
      created_at timestamptz not null default now()
    );

    create table release_imports (
      release_id uuid primary key references releases,
      root_key_id text not null check (root_key_id ~ '^[0-9a-f]{64}$'),
      -- ReleaseExport of the contract, the newest that came: verified again at every load.
      evidence jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create trigger touch_updated_at before update on release_imports
      for each row execute function touch_updated_at();

    -- {"registryKeyId","importedAt"} of a release that came from another registry.
    alter table releases add column origin jsonb;
    create function keep_release_origin() returns trigger language plpgsql as $$
    begin
      raise exception 'where a release came from never changes' using errcode = 'restrict_violation';
    end $$;
    create trigger keep_release_origin before update of origin on releases
      for each row when (old.origin is distinct from new.origin) execute function keep_release_origin();
  `);
}
