import type { Knex } from 'knex';

/** What publishers are told about the use of their plugins, and a ranking that explains itself and counts people once. */
export async function up(db: Knex): Promise<void> {
  await db.raw(STATISTICS);
  await db.raw(RANKING);
}

const STATISTICS = `
  -- Invocations of an installation on one release, by day (UTC): what an installation runs changes, and canaries run two releases at once.
  create table release_usage (
    installation_id uuid not null references installations on delete cascade,
    release_id uuid not null references releases,
    day date not null,
    invocations bigint not null default 0,
    faults bigint not null default 0,
    -- Those that were answered, by bucket of duration: host/rollouts/rules/latency-buckets.ts.
    durations bigint[] not null default '{}',
    primary key (installation_id, release_id, day)
  );
  create index release_usage_by_day on release_usage (day);

  -- Sums over all operators, made anew as a whole day at a time.
  create table plugin_statistics (
    plugin_id uuid not null references plugins,
    -- Null: the plugin as a whole.
    release_id uuid references releases,
    day date not null,
    views bigint not null default 0,
    installs integer not null default 0,
    updates integer not null default 0,
    uninstalls integer not null default 0,
    -- At the end of the day.
    active integer not null default 0,
    -- Owners of operators whose installations ran: how much of what follows may be told.
    operators integer not null default 0,
    invocations bigint not null default 0,
    faults bigint not null default 0,
    durations bigint[] not null default '{}',
    -- { <capability>: { "calls": n, "refused": n } }
    capabilities jsonb not null default '{}',
    unique nulls not distinct (plugin_id, day, release_id)
  );
  create index plugin_statistics_by_day on plugin_statistics (day);

  -- A day is counted until it has been counted some time after its end.
  create table statistics_days (
    day date primary key,
    counted_at timestamptz not null
  );

  -- Element by element; the shorter one is as if it ended in zeros.
  create function sum_of_arrays(one bigint[], other bigint[]) returns bigint[] language sql immutable parallel safe as $$
    select coalesce(array_agg(coalesce(a, 0) + coalesce(b, 0) order by at), '{}')
    from unnest(one, other) with ordinality as pairs (a, b, at) $$;
  create aggregate sum_arrays(bigint[]) (sfunc = sum_of_arrays, stype = bigint[], initcond = '{}', parallel = safe);
`;

const RANKING = `
  alter table plugin_standing
    -- The mean that the stars were drawn to, and the age at which the newest release was counted.
    add column expected_rating double precision not null default 3.5,
    add column age_days double precision not null default 0;

  -- The formula: the score is the sum of weight x value; each value is from 0 to 1.
  create function popularity_terms(rating double precision, operators bigint, operators_ever bigint, uninstalled bigint,
    invocations bigint, faults bigint, age_days double precision)
    returns table (term text, weight double precision, value double precision) language sql immutable parallel safe as $$
    values ('rating', 0.35::double precision, (rating - 1) / 4),
      ('operators', 0.25, least(1, ln(1 + operators::double precision) / ln(1001))),
      ('retention', 0.15, (operators + 4.0::double precision) / (operators_ever + 5)),
      ('uninstalls', 0.10, 1 - (uninstalled + 0.5::double precision) / (operators + uninstalled + 5)),
      ('faults', 0.10, 1 - least(1, 10 * (faults + 1.0::double precision) / (invocations + 100))),
      ('recency', 0.05, exp(-greatest(age_days, 0) / 180)) $$;
  create or replace function popularity(rating double precision, operators bigint, operators_ever bigint, uninstalled bigint,
    invocations bigint, faults bigint, age_days double precision) returns double precision language sql immutable parallel safe as $$
    select sum(weight * value) from public.popularity_terms(rating, operators, operators_ever, uninstalled, invocations, faults, age_days) $$;

  -- Organisations of one owner are one, and so are those of owners who own one together: the first account of all of them stands for
  -- them; the organisation itself where nobody owns it.
  create or replace function marketplace_owners() returns table (id uuid, owner text) language sql stable
    set search_path = pg_catalog, public as $$
    with recursive owners as (
      select m.organisation_id, m.account_id from memberships m join organisations o on o.id = m.organisation_id
      where o.kind = 'operator' and m.role = 'operator-owner'
    ), reach as (
      select organisation_id, account_id from owners
      union
      select r.organisation_id, further.account_id
      from reach r join owners also on also.account_id = r.account_id
      join owners further on further.organisation_id = also.organisation_id
    )
    select o.id, coalesce(min(r.account_id::text), o.id::text)
    from organisations o left join reach r on r.organisation_id = o.id where o.kind = 'operator' group by o.id $$;

  -- Owners with a member who belongs to the publisher as well: they do not count for its plugins.
  create function marketplace_insiders() returns table (publisher_id uuid, owner text) language sql stable
    set search_path = pg_catalog, public as $$
    select distinct theirs.organisation_id, w.owner
    from organisations p join memberships theirs on theirs.organisation_id = p.id
    join memberships mine on mine.account_id = theirs.account_id
    join marketplace_owners() w on w.id = mine.organisation_id
    where p.kind = 'publisher' $$;

  create or replace function marketplace_uses() returns table (plugin_id uuid, owner text, active boolean, left_at timestamptz)
    language sql stable set search_path = pg_catalog, public as $$
    select r.plugin_id, w.owner, bool_or(i.deleted_at is null), max(i.deleted_at)
    from installations i join releases r on r.id = i.release_id join marketplace_owners() w on w.id = i.operator_id
    where not exists (select 1 from marketplace_insiders() s where s.publisher_id = r.organisation_id and s.owner = w.owner)
    group by r.plugin_id, w.owner $$;

  -- One voice for each owner and plugin.
  create function marketplace_voices() returns table (plugin_id uuid, owner text, stars double precision)
    language sql stable set search_path = pg_catalog, public as $$
    select r.plugin_id, w.owner, avg(r.stars)::double precision
    from ratings r join marketplace_owners() w on w.id = r.organisation_id join plugins p on p.id = r.plugin_id
    where r.hidden is null
      and not exists (select 1 from marketplace_insiders() s where s.publisher_id = p.organisation_id and s.owner = w.owner)
    group by r.plugin_id, w.owner $$;

  -- Of the last 30 days. Nobody makes up more than 10,000 invocations: a flood of good ones hides no faults of others.
  create function marketplace_calls() returns table (plugin_id uuid, invocations bigint, faults bigint)
    language sql stable set search_path = pg_catalog, public as $$
    select plugin_id, sum(invocations * share)::bigint, sum(faults * share)::bigint from (
      select r.plugin_id, w.owner, sum(u.invocations) as invocations, sum(u.faults) as faults,
        least(1, 10000 / greatest(sum(u.invocations), 1)) as share
      from usage u join installations i on i.id = u.installation_id join releases r on r.id = i.release_id
      join marketplace_owners() w on w.id = i.operator_id
      where u.hour > now() - interval '30 days'
        and not exists (select 1 from marketplace_insiders() s where s.publisher_id = r.organisation_id and s.owner = w.owner)
      group by r.plugin_id, w.owner) as each group by plugin_id $$;

  create or replace function refresh_marketplace() returns boolean language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
      asker text;
      usual double precision;
    begin
      -- Of several hosts one does it.
      if not pg_try_advisory_xact_lock(hashtext('refresh_marketplace')) then return false; end if;
      asker := marketplace_acts(null);
      select coalesce(avg(stars), 3.5) into usual from marketplace_voices();
      delete from plugin_standing;
      insert into plugin_standing (plugin_id, score, ratings, rating, operators, operators_ever, uninstalled, invocations, faults,
          expected_rating, age_days)
        select f.plugin_id, popularity(f.expected, f.operators, f.ever, f.gone, f.invocations, f.faults, f.age_days),
          f.ratings, f.stars, f.operators, f.ever, f.gone, f.invocations, f.faults, f.expected, f.age_days
        from (
          select l.plugin_id, coalesce(v.ratings, 0) as ratings, coalesce(v.stars, 0) as stars,
            (5 * usual + coalesce(v.stars * v.ratings, 0)) / (5 + coalesce(v.ratings, 0)) as expected,
            coalesce(u.operators, 0) as operators, coalesce(u.ever, 0) as ever, coalesce(u.gone, 0) as gone,
            coalesce(c.invocations, 0) as invocations, coalesce(c.faults, 0) as faults,
            extract(epoch from now() - l.published_at)::double precision / 86400 as age_days
          from plugin_listings l
          left join (select plugin_id, count(*) as ratings, avg(stars) as stars from marketplace_voices() group by plugin_id) v
            using (plugin_id)
          left join (select plugin_id, count(*) filter (where active) as operators, count(*) as ever,
              count(*) filter (where not active and left_at > now() - interval '30 days') as gone
              from marketplace_uses() group by plugin_id) u using (plugin_id)
          left join marketplace_calls() c using (plugin_id)
        ) as f;
      delete from plugin_neighbours;
      -- Three operators at least: one of two would know what the other one uses.
      with uses as materialized (select * from marketplace_uses() where active)
      insert into plugin_neighbours (plugin_id, neighbour_id, likeness)
        select plugin_id, neighbour_id, likeness from (
          select p.*, row_number() over (partition by plugin_id order by likeness desc, neighbour_id) as place from (
            select a.plugin_id, b.plugin_id as neighbour_id,
              count(*) / sqrt(min(sa.operators)::double precision * min(sb.operators)) as likeness
            from uses a join uses b on b.owner = a.owner and b.plugin_id <> a.plugin_id
            join plugin_standing sa on sa.plugin_id = a.plugin_id join plugin_standing sb on sb.plugin_id = b.plugin_id
            group by a.plugin_id, b.plugin_id having count(*) >= 3) as p
        ) as placed where place <= 12;
      perform marketplace_acts(asker);
      return true;
    end $$;
`;
