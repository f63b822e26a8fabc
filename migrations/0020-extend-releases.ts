import type { Knex } from 'knex';

/** What becomes of a release after it was published, of the keys that signed it, and archives that come in parts. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table releases
      -- {"at","reason","replacement"}: why it is not installed anew, and the version to take instead.
      add column yanked jsonb,
      -- The same; it is installed still.
      add column deprecated jsonb,
      -- {"at","reason"}: it does not run anywhere any more.
      add column blocked jsonb,
      -- {"repository","commit","builder"} as its publisher signed it.
      add column provenance jsonb;
    create index releases_blocked on releases (id) where blocked is not null;

    -- A name as it looks: registry/rules/look-alikes.ts makes the same. Null for whoever was here before somebody who looks the same.
    alter table plugins add column look text, add column unlisted_at timestamptz;
    select set_config('app.role', 'system', true);
    update plugins set look = named.look from (
      select distinct on (look) id, look from (
        select p.id, replace(replace(translate(o.slug, '01i-', 'oll'), 'rn', 'm'), 'vv', 'w') || '/' ||
          replace(replace(translate(p.name, '01i-', 'oll'), 'rn', 'm'), 'vv', 'w') as look
        from plugins p join organisations o on o.id = p.organisation_id
      ) as every_one order by look, id
    ) as named where named.id = plugins.id;
    create unique index plugins_by_look on plugins (look);

    create table dist_tags (
      id uuid primary key,
      plugin_id uuid not null references plugins,
      tag text not null check (tag ~ '^[a-z][a-z0-9-]{0,31}$' and tag <> 'latest'),
      release_id uuid not null references releases,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (plugin_id, tag)
    );
    create trigger touch_updated_at before update on dist_tags
      for each row execute function touch_updated_at();

    alter table publisher_keys
      -- Rotated: until then it signs beside its successor.
      add column retires_at timestamptz,
      add column successor_id text,
      -- What came from then on was signed by somebody else.
      add column compromised_since timestamptz,
      add check (compromised_since is null or revoked_at is not null);

    create table uploads (
      id uuid primary key,
      organisation_id uuid not null references organisations,
      -- What was announced: size and SHA-256 of the archive as it is sent.
      bytes integer not null check (bytes between 1 and 4194304),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      received integer not null default 0 check (received between 0 and bytes),
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index uploads_by_organisation on uploads (organisation_id);
    create index uploads_by_expiry on uploads (expires_at);
    create table upload_parts (
      upload_id uuid not null references uploads on delete cascade,
      start integer not null check (start >= 0),
      content bytea not null check (octet_length(content) between 1 and 1048576),
      primary key (upload_id, start)
    );
  `);
}
