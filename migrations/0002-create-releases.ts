import type { Knex } from 'knex';

/** Publishers' keys, plugins, their immutable releases and the archives. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table publisher_keys (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      key_id text not null unique check (key_id ~ '^[0-9a-f]{64}$'),
      label text not null check (length(label) between 1 and 200),
      public_key_pem text not null,
      revoked_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index publisher_keys_by_organisation on publisher_keys (organisation_id, id);

    create table plugins (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      name text not null,
      -- Kept by review: ordering versions is a rule of the registry, not of SQL.
      latest_release_id uuid,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (organisation_id, name)
    );

    create table releases (
      id uuid primary key,
      plugin_id uuid not null references plugins,
      version text not null,
      state text not null check (state in ('in-review', 'published', 'rejected', 'yanked')),
      manifest jsonb not null,
      digest text not null unique check (digest ~ '^[0-9a-f]{64}$'),
      bundle_digest text not null check (bundle_digest ~ '^[0-9a-f]{64}$'),
      bundle_bytes integer not null check (bundle_bytes > 0),
      envelope jsonb not null,
      reasons text[] not null default '{}',
      reviewed_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (plugin_id, version),
      check ((state = 'in-review') = (reviewed_at is null))
    );
    create index releases_by_bundle on releases (bundle_digest);
    create index releases_by_state on releases (state, id);

    alter table plugins add constraint plugins_latest_release
      foreign key (latest_release_id) references releases;

    -- Bundle and source map are read from the archive after its digest has been verified, so they are stored nowhere else.
    create table release_artifacts (
      release_id uuid primary key references releases,
      archive bytea not null,
      created_at timestamptz not null default now()
    );

    create function keep_release_immutable() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' then
        raise exception 'a release is never deleted' using errcode = 'restrict_violation';
      end if;
      if (new.id, new.plugin_id, new.version, new.manifest, new.digest, new.bundle_digest, new.bundle_bytes, new.created_at,
          new.envelope ->> 'payload')
         is distinct from
         (old.id, old.plugin_id, old.version, old.manifest, old.digest, old.bundle_digest, old.bundle_bytes, old.created_at,
          old.envelope ->> 'payload') then
        raise exception 'what a release is never changes' using errcode = 'restrict_violation';
      end if;
      if new.state <> old.state and (old.state, new.state) not in
          (('in-review', 'published'), ('in-review', 'rejected'), ('published', 'yanked')) then
        raise exception 'a release cannot go from % to %', old.state, new.state using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger keep_release_immutable before update or delete on releases
      for each row execute function keep_release_immutable();

    create function keep_artifact_immutable() returns trigger language plpgsql as $$
    begin
      raise exception 'the archive of a release never changes' using errcode = 'restrict_violation';
    end $$;
    create trigger keep_artifact_immutable before update or delete on release_artifacts
      for each row execute function keep_artifact_immutable();

    create trigger touch_updated_at before update on publisher_keys
      for each row execute function touch_updated_at();
    create trigger touch_updated_at before update on plugins
      for each row execute function touch_updated_at();
    create trigger touch_updated_at before update on releases
      for each row execute function touch_updated_at();
    create trigger notify_change after insert or update or delete on publisher_keys
      for each row execute function notify_change();
    create trigger notify_change after insert or update or delete on releases
      for each row execute function notify_change();
  `);
}
