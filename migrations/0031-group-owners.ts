import type { Knex } from 'knex';

/**
 * `marketplace_owners` of 0028 looked for owners in common by recursion, which takes the square of the longest chain of organisations:
 * a few hundred of them were enough to stop the count. This is union-find: about as long as there are owners.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create or replace function marketplace_owners() returns table (id uuid, owner text) language plpgsql stable rows 10000
      set search_path = pg_catalog, public
      -- All of everything is joined, and nobody can tell the planner how much an array holds.
      set enable_nestloop = off as $$
      declare
        -- Owners, the first account first; and for each one of the same group that came earlier, or itself.
        people uuid[];
        parents integer[];
        one integer;
        other integer;
      begin
        select coalesce(array_agg(account_id order by account_id), '{}') into people
        from (select distinct m.account_id from memberships m where m.role = 'operator-owner') as owners;
        parents := array(select generate_series(1, cardinality(people)));
        for one, other in
          with numbered as (select p.person, p.place::integer from unnest(people) with ordinality as p (person, place)),
          places as (
            select n.place, min(n.place) over (partition by m.organisation_id) as first
            from memberships m join numbered n on n.person = m.account_id where m.role = 'operator-owner'
          )
          select place, first from places where place <> first
        loop
          while parents[one] <> one loop
            parents[one] := parents[parents[one]];
            one := parents[one];
          end loop;
          while parents[other] <> other loop
            parents[other] := parents[parents[other]];
            other := parents[other];
          end loop;
          if one < other then parents[other] := one;
          else parents[one] := other;
          end if;
        end loop;
        -- In this order the one before is a first one already.
        for place in 1..cardinality(people) loop
          parents[place] := parents[parents[place]];
        end loop;
        return query
          with first_of as (select p.person, people[p.parent] as first from unnest(people, parents) as p (person, parent))
          select o.id, coalesce(min(f.first::text), o.id::text)
          from organisations o
          left join memberships m on m.organisation_id = o.id and m.role = 'operator-owner'
          left join first_of f on f.person = m.account_id
          where o.kind = 'operator' group by o.id;
      end $$;
    alter function marketplace_insiders() set enable_nestloop = off;
    alter function marketplace_uses() set enable_nestloop = off;
    alter function marketplace_voices() set enable_nestloop = off;
    alter function marketplace_calls() set enable_nestloop = off;
  `);
}
