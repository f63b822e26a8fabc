import type { Knex } from 'knex';

/** What listings show of a release: its texts as sanitised HTML, its pictures, and how often anybody looked. */
export async function up(db: Knex): Promise<void> {
  await db.raw(PAGES);
  await db.raw(SEARCH);
}

const PAGES = `
  -- Made from the archive when somebody first asks, by the host; may be deleted, and is made anew.
  create table release_pages (
    release_id uuid primary key references releases,
    -- As they are in the archive; null where they are not.
    readme text,
    changelog text,
    -- Sanitised.
    readme_html text,
    changelog_html text,
    made_at timestamptz not null
  );

  create table release_images (
    release_id uuid not null references release_pages on delete cascade,
    -- Its name in the archive.
    file text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    media_type text not null check (media_type in ('image/png', 'image/jpeg', 'image/webp', 'image/svg+xml')),
    -- In pixels; null for what has any size.
    width integer,
    height integer,
    content bytea not null check (octet_length(content) <= 1048576),
    primary key (release_id, file)
  );
  create index release_images_by_digest on release_images (sha256);

  create table listing_views (
    plugin_id uuid not null references plugins,
    -- UTC.
    day date not null,
    -- Whoever looks often on one day counts once, about.
    count bigint not null default 0 check (count >= 0),
    primary key (plugin_id, day)
  );
  create index listing_views_by_day on listing_views (day);
`;

/** As in 0024, with further categories, and with titles and descriptions in all languages to be found by. */
const SEARCH = `
  alter table plugin_listings add column categories text[] not null default '{}';

  create or replace function list_plugin(wanted uuid) returns void language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text := marketplace_acts(null);
      listing plugin_listings;
      listed jsonb;
      told text;
    begin
      select p.id, r.id, o.slug, p.name, r.manifest ->> 'title', r.manifest ->> 'description', r.manifest ->> 'category',
        r.manifest ->> 'kind', r.version, r.manifest ->> 'engine', coalesce(r.manifest #>> '{pricing,model}', 'free'),
        array(select jsonb_path_query(r.manifest, '$.capabilities[*].name') #>> '{}'),
        (select min(reviewed_at) from releases where plugin_id = p.id and state not in ('draft', 'scanning', 'in-review', 'approved', 'rejected')), r.reviewed_at,
        null, null,
        array[r.manifest ->> 'category'] || array(select jsonb_path_query(r.manifest, '$.listing.categories[*]') #>> '{}')
      into listing
      from plugins p join organisations o on o.id = p.organisation_id join releases r on r.id = p.latest_release_id
      where p.id = wanted and p.unlisted_at is null and r.state in ('published', 'deprecated') and r.blocked is null;
      if listing.plugin_id is null then
        delete from plugin_listings where plugin_id = wanted;
        perform marketplace_acts(asker);
        return;
      end if;
      select manifest -> 'listing' into listed from releases where id = listing.release_id;
      told := concat_ws(' ', listing.publisher, listing.name, listing.title, listed #>> '{title,en}', listed #>> '{title,zh}');
      listing.heading := listing_lexemes(told);
      told := concat_ws(' ', told, listing.description, listed #>> '{description,en}', listed #>> '{description,zh}',
        array_to_string(listing.categories, ' '), array_to_string(listing.capabilities, ' '));
      listing.document := listing_lexemes(told);
      insert into plugin_listings values (listing.*)
      on conflict (plugin_id) do update set release_id = excluded.release_id, title = excluded.title,
        description = excluded.description, category = excluded.category, kind = excluded.kind, version = excluded.version,
        engine = excluded.engine, pricing = excluded.pricing, capabilities = excluded.capabilities,
        published_at = excluded.published_at, heading = excluded.heading, document = excluded.document,
        categories = excluded.categories;
      insert into listing_words (word, slips)
        select word, listing_slips_of(word) from (select distinct unnest(listing_words_of(told)) as word) as words
        where length(word) between 4 and 40 order by word
      on conflict do nothing;
      perform marketplace_acts(asker);
    end $$;

  select set_config('app.role', 'system', true);
  update plugin_listings set categories = array[category];
`;
