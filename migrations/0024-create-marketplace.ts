import type { Knex } from 'knex';

/** What everybody may find, what installers think of it, and how it ranks. How search and ranking work: docs/marketplace.md. */
export async function up(db: Knex): Promise<void> {
  await db.raw(LISTINGS);
  await db.raw(RATINGS);
  await db.raw(STANDING);
}

const LISTINGS = `
  -- One row for each plugin that everybody may see; written by triggers alone.
  create table plugin_listings (
    plugin_id uuid primary key references plugins,
    release_id uuid not null references releases,
    publisher text not null,
    name text not null,
    title text not null,
    description text not null,
    category text not null,
    kind text not null,
    version text not null,
    engine text not null,
    pricing text not null,
    capabilities text[] not null,
    first_published_at timestamptz not null,
    published_at timestamptz not null,
    -- Lexemes of name and title, and of everything; see listing_lexemes.
    heading tsvector not null,
    document tsvector not null,
    unique (publisher, name)
  );
  create index plugin_listings_heading on plugin_listings using gin (heading) with (fastupdate = off);
  create index plugin_listings_document on plugin_listings using gin (document) with (fastupdate = off);
  create index plugin_listings_by_time on plugin_listings (published_at, plugin_id);

  -- Words of listings, with every way to leave one letter out: words that are one slip apart share one of these.
  create table listing_words (
    word text primary key,
    slips text[] not null
  );
  create index listing_words_slips on listing_words using gin (slips) with (fastupdate = off);

  -- The same in every locale: letters of alphabets, and those of Chinese, Japanese and Korean, are named by their ranges.
  create function listing_words_of(content text) returns text[] language sql immutable parallel safe
    set search_path = pg_catalog, public as $$
    select coalesce(array_agg(found[1]), '{}')
    from regexp_matches(lower(normalize(content, nfkc)), '[a-z0-9\\u00df-\\u024f\\u0370-\\u052f]+', 'g') as found $$;

  -- Chinese is written without spaces: every two neighbouring signs are a lexeme.
  create function listing_pairs_of(content text) returns text[] language sql immutable parallel safe
    set search_path = pg_catalog, public as $$
    select coalesce(array_agg(distinct substr(run[1], at, 2)), '{}')
    from regexp_matches(normalize(content, nfkc), '[\\u3040-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7af]+', 'g') as run,
      generate_series(1, greatest(length(run[1]) - 1, 1)) as at $$;

  -- English stems, the words as they are (for their beginnings), and pairs of signs.
  create function listing_lexemes(content text) returns tsvector language sql immutable parallel safe
    set search_path = pg_catalog, public as $$
    select strip(to_tsvector('english'::regconfig, array_to_string(listing_words_of(content), ' '))
      || array_to_tsvector(listing_words_of(content)) || array_to_tsvector(listing_pairs_of(content))) $$;

  -- All words, each as a stem or from three letters on as a beginning; those that English leaves out only where there are no others.
  create function listing_query(content text) returns tsquery language plpgsql immutable parallel safe
    set search_path = pg_catalog, public as $$
    declare
      term text;
      stem tsquery;
      wanted tsquery;
      slight tsquery;
      one tsquery;
    begin
      foreach term in array listing_words_of(content) loop
        stem := plainto_tsquery('english'::regconfig, term);
        one := (quote_literal(term) || case when length(term) >= 3 then ':*' else '' end)::tsquery;
        if numnode(stem) = 0 then
          slight := coalesce(slight && one, one);
        else
          wanted := coalesce(wanted && (stem || one), stem || one);
        end if;
      end loop;
      foreach term in array listing_pairs_of(content) loop
        one := (quote_literal(term) || case when length(term) = 1 then ':*' else '' end)::tsquery;
        wanted := coalesce(wanted && one, one);
      end loop;
      return coalesce(wanted, slight);
    end $$;

  create function listing_slips_of(word text) returns text[] language sql immutable parallel safe
    set search_path = pg_catalog, public as $$
    select array_agg(distinct slip) from (
      select word as slip
      union all select overlay(word placing '' from at for 1) from generate_series(1, length(word)) as at
    ) as slips $$;

  -- The role from here on; null: the system. Returns the one before, which has to be set again.
  create function marketplace_acts(role text) returns text language plpgsql
    set search_path = pg_catalog as $$
    declare
      before text := coalesce(current_setting('app.role', true), '');
    begin
      perform set_config('app.role', coalesce(role, 'system'), true);
      return before;
    end $$;

  create function list_plugin(wanted uuid) returns void language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text := marketplace_acts(null);
      listing plugin_listings;
      told text;
    begin
      select p.id, r.id, o.slug, p.name, r.manifest ->> 'title', r.manifest ->> 'description', r.manifest ->> 'category',
        r.manifest ->> 'kind', r.version, r.manifest ->> 'engine', coalesce(r.manifest #>> '{pricing,model}', 'free'),
        array(select jsonb_path_query(r.manifest, '$.capabilities[*].name') #>> '{}'),
        (select min(reviewed_at) from releases where plugin_id = p.id and state not in ('draft', 'scanning', 'in-review', 'approved', 'rejected')), r.reviewed_at
      into listing
      from plugins p join organisations o on o.id = p.organisation_id join releases r on r.id = p.latest_release_id
      where p.id = wanted and p.unlisted_at is null and r.state in ('published', 'deprecated') and r.blocked is null;
      if listing.plugin_id is null then
        delete from plugin_listings where plugin_id = wanted;
        perform marketplace_acts(asker);
        return;
      end if;
      told := concat_ws(' ', listing.publisher, listing.name, listing.title);
      listing.heading := listing_lexemes(told);
      told := concat_ws(' ', told, listing.description, listing.category, array_to_string(listing.capabilities, ' '));
      listing.document := listing_lexemes(told);
      insert into plugin_listings values (listing.*)
      on conflict (plugin_id) do update set release_id = excluded.release_id, title = excluded.title,
        description = excluded.description, category = excluded.category, kind = excluded.kind, version = excluded.version,
        engine = excluded.engine, pricing = excluded.pricing, capabilities = excluded.capabilities,
        published_at = excluded.published_at, heading = excluded.heading, document = excluded.document;
      insert into listing_words (word, slips)
        select word, listing_slips_of(word) from (select distinct unnest(listing_words_of(told)) as word) as words
        where length(word) between 4 and 40 order by word
      on conflict do nothing;
      perform marketplace_acts(asker);
    end $$;

  create function list_changed_plugin() returns trigger language plpgsql as $$
    begin
      perform public.list_plugin(new.id);
      return null;
    end $$;
  create trigger list_plugin after insert or update of latest_release_id, unlisted_at on plugins
    for each row execute function list_changed_plugin();
  create function list_changed_release() returns trigger language plpgsql as $$
    begin
      perform public.list_plugin(new.plugin_id);
      return null;
    end $$;
  create trigger list_plugin after update of state, blocked on releases
    for each row execute function list_changed_release();

  select set_config('app.role', 'system', true);
  select list_plugin(id) from plugins;
`;

const RATINGS = `
  -- One for each organisation that installed the plugin, however many people it has.
  create table ratings (
    id uuid primary key,
    plugin_id uuid not null references plugins,
    organisation_id uuid not null references organisations,
    -- Who wrote it last; not shown.
    account_id uuid references accounts on delete set null,
    -- The version that was installed.
    version text not null,
    stars smallint not null check (stars between 1 and 5),
    body text not null default '' check (length(body) <= 4000),
    reply text check (length(reply) between 1 and 4000),
    replied_at timestamptz,
    -- Kept by a trigger.
    helpful integer not null default 0,
    unhelpful integer not null default 0,
    -- Why a moderator took it from view; its stars do not count then.
    hidden text check (length(hidden) between 1 and 1000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (plugin_id, organisation_id),
    check ((reply is null) = (replied_at is null))
  );
  create index ratings_of_plugin on ratings (plugin_id, updated_at desc, id);
  create index ratings_by_organisation on ratings (organisation_id);

  create table rating_votes (
    rating_id uuid not null references ratings on delete cascade,
    organisation_id uuid not null references organisations,
    helpful boolean not null,
    created_at timestamptz not null default now(),
    primary key (rating_id, organisation_id)
  );
  create function count_rating_votes() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text := marketplace_acts(null);
    begin
      update ratings set helpful = votes.yes, unhelpful = votes.no
      from (select count(*) filter (where helpful) as yes, count(*) filter (where not helpful) as no
        from rating_votes where rating_id = coalesce(new.rating_id, old.rating_id)) as votes
      where id = coalesce(new.rating_id, old.rating_id);
      perform marketplace_acts(asker);
      return null;
    end $$;
  create trigger count_rating_votes after insert or update or delete on rating_votes
    for each row execute function count_rating_votes();

  create table rating_reports (
    id uuid primary key,
    rating_id uuid not null references ratings on delete cascade,
    organisation_id uuid not null references organisations,
    reason text not null check (length(reason) between 1 and 1000),
    -- By a moderator, who hid the rating or let it stand.
    settled_at timestamptz,
    created_at timestamptz not null default now(),
    unique (rating_id, organisation_id)
  );
  create index rating_reports_open on rating_reports (id) where settled_at is null;

  -- Whether somebody is a member of both organisations: nobody praises what is their own. A yes or no is all that is told.
  create function organisations_share_member(one uuid, other uuid) returns boolean language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text := marketplace_acts(null);
      shared boolean;
    begin
      shared := exists (select 1 from memberships a join memberships b on b.account_id = a.account_id
        where a.organisation_id = one and b.organisation_id = other);
      perform marketplace_acts(asker);
      return shared;
    end $$;
`;

const STANDING = `
  -- Made anew by refresh_marketplace().
  create table plugin_standing (
    plugin_id uuid primary key references plugins,
    score double precision not null,
    ratings integer not null,
    rating double precision not null,
    operators integer not null,
    operators_ever integer not null,
    uninstalled integer not null,
    invocations bigint not null,
    faults bigint not null
  );
  -- What operators of one plugin use as well.
  create table plugin_neighbours (
    plugin_id uuid not null references plugins,
    neighbour_id uuid not null references plugins,
    likeness double precision not null,
    primary key (plugin_id, neighbour_id)
  );

  -- 0 to 1. Few facts say little: each share is drawn towards what is usual until there are enough.
  create function popularity(rating double precision, operators bigint, operators_ever bigint, uninstalled bigint,
    invocations bigint, faults bigint, age_days double precision) returns double precision language sql immutable parallel safe as $$
    select 0.35 * (rating - 1) / 4
      + 0.25 * least(1, ln(1 + operators) / ln(1001))
      + 0.15 * (operators + 4.0) / (operators_ever + 5)
      + 0.10 * (1 - (uninstalled + 0.5) / (operators + uninstalled + 5))
      + 0.10 * (1 - least(1, 10 * (faults + 1.0) / (invocations + 100)))
      + 0.05 * exp(-greatest(age_days, 0) / 180) $$;

  -- Organisations of one owner are one: the first account that owns them; the organisation itself where nobody does.
  create function marketplace_owners() returns table (id uuid, owner text) language sql stable
    set search_path = pg_catalog, public as $$
    select o.id, coalesce(min(m.account_id::text), o.id::text)
    from organisations o left join memberships m on m.organisation_id = o.id and m.role = 'operator-owner'
    where o.kind = 'operator' group by o.id $$;
  create function marketplace_uses() returns table (plugin_id uuid, owner text, active boolean, left_at timestamptz)
    language sql stable set search_path = pg_catalog, public as $$
    select r.plugin_id, w.owner, bool_or(i.deleted_at is null), max(i.deleted_at)
    from installations i join releases r on r.id = i.release_id join marketplace_owners() w on w.id = i.operator_id
    group by r.plugin_id, w.owner $$;

  create function refresh_marketplace() returns boolean language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text;
      usual double precision;
    begin
      -- Of several hosts one does it.
      if not pg_try_advisory_xact_lock(hashtext('refresh_marketplace')) then return false; end if;
      asker := marketplace_acts(null);
      select coalesce(avg(stars), 3.5) into usual from ratings where hidden is null;
      delete from plugin_standing;
      insert into plugin_standing (plugin_id, score, ratings, rating, operators, operators_ever, uninstalled, invocations, faults)
        select f.plugin_id, popularity((5 * usual + f.stars * f.ratings) / (5 + f.ratings), f.operators, f.operators_ever,
          f.uninstalled, f.invocations, f.faults, f.age_days), f.ratings, f.stars, f.operators, f.operators_ever, f.uninstalled,
          f.invocations, f.faults
        from (
          select l.plugin_id, coalesce(v.ratings, 0) as ratings, coalesce(v.stars, 0) as stars,
            coalesce(u.operators, 0) as operators, coalesce(u.ever, 0) as operators_ever, coalesce(u.gone, 0) as uninstalled,
            coalesce(c.invocations, 0) as invocations, coalesce(c.faults, 0) as faults,
            extract(epoch from now() - l.published_at)::double precision / 86400 as age_days
          from plugin_listings l
          left join (select plugin_id, count(*) as ratings, avg(stars)::double precision as stars from (
              select r.plugin_id, avg(r.stars) as stars from ratings r join marketplace_owners() w on w.id = r.organisation_id
              where r.hidden is null group by r.plugin_id, w.owner) as voices group by plugin_id) v using (plugin_id)
          left join (select plugin_id, count(*) filter (where active) as operators, count(*) as ever,
              count(*) filter (where not active and left_at > now() - interval '30 days') as gone
              from marketplace_uses() group by plugin_id) u using (plugin_id)
          left join (select r.plugin_id, sum(s.invocations)::bigint as invocations, sum(s.faults)::bigint as faults
              from usage s join installations i on i.id = s.installation_id join releases r on r.id = i.release_id
              where s.hour > now() - interval '30 days' group by r.plugin_id) c using (plugin_id)
        ) as f;
      delete from plugin_neighbours;
      -- Two operators at least: what a single one uses is nobody's business.
      with uses as materialized (select * from marketplace_uses() where active)
      insert into plugin_neighbours (plugin_id, neighbour_id, likeness)
        select plugin_id, neighbour_id, likeness from (
          select p.*, row_number() over (partition by plugin_id order by likeness desc, neighbour_id) as place from (
            select a.plugin_id, b.plugin_id as neighbour_id,
              count(*) / sqrt(min(sa.operators)::double precision * min(sb.operators)) as likeness
            from uses a join uses b on b.owner = a.owner and b.plugin_id <> a.plugin_id
            join plugin_standing sa on sa.plugin_id = a.plugin_id join plugin_standing sb on sb.plugin_id = b.plugin_id
            group by a.plugin_id, b.plugin_id having count(*) >= 2) as p
        ) as placed where place <= 12;
      perform marketplace_acts(asker);
      return true;
    end $$;
`;
