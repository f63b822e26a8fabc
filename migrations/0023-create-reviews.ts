import type { Knex } from 'knex';

/** The rounds in which releases are reviewed, who is trusted with patches, and all states of registry/rules/release-states.ts. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table releases drop constraint releases_state_check;
    alter table releases add constraint releases_state_check check (state in
      ('draft', 'scanning', 'in-review', 'approved', 'published', 'rejected', 'suspended', 'deprecated', 'yanked'));
    alter table releases drop constraint releases_check;
    alter table releases add constraint releases_reviewed check
      (reviewed_at is not null or state in ('draft', 'scanning', 'in-review'));
    alter table releases add constraint releases_suspended check (state <> 'suspended' or blocked is not null);

    create or replace function keep_release_immutable() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' then
        raise exception 'a release is never deleted' using errcode = 'restrict_violation';
      end if;
      if (new.id, new.plugin_id, new.version, new.manifest, new.digest, new.bundle_digest, new.bundle_bytes, new.created_at,
          new.envelope ->> 'payload', new.organisation_id, new.provenance)
         is distinct from
         (old.id, old.plugin_id, old.version, old.manifest, old.digest, old.bundle_digest, old.bundle_bytes, old.created_at,
          old.envelope ->> 'payload', old.organisation_id, old.provenance) then
        raise exception 'what a release is never changes' using errcode = 'restrict_violation';
      end if;
      if new.state <> old.state and (old.state, new.state) not in (
          ('draft', 'scanning'), ('draft', 'in-review'), ('scanning', 'in-review'),
          ('in-review', 'approved'), ('in-review', 'published'), ('approved', 'published'),
          ('in-review', 'draft'), ('in-review', 'rejected'), ('approved', 'rejected'), ('rejected', 'in-review'),
          ('published', 'deprecated'), ('deprecated', 'published'), ('published', 'yanked'), ('deprecated', 'yanked'),
          ('published', 'suspended'), ('deprecated', 'suspended'), ('yanked', 'suspended'),
          ('suspended', 'published'), ('suspended', 'deprecated'), ('suspended', 'yanked')) then
        raise exception 'a release cannot go from % to %', old.state, new.state using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;

    create table release_reviews (
      release_id uuid not null references releases,
      round smallint not null check (round > 0),
      kind text not null check (kind in ('first', 'resubmission', 'appeal')),
      -- What its publisher said to it.
      statement text check (length(statement) <= 4000),
      queued_at timestamptz not null default now(),
      -- Id of the moderator's account, or of the token of a program.
      assigned_to text,
      assigned_at timestamptz,
      -- {"<item>":{"verdict","note"}}
      checklist jsonb not null default '{}',
      decision text check (decision in ('approve', 'request-changes', 'reject')),
      -- [{"code","message","evidence":[{"file","line","text"}]}]
      reasons jsonb not null default '[]',
      decided_by text,
      decided_at timestamptz,
      automatic boolean not null default false,
      primary key (release_id, round),
      check ((decision is null) = (decided_at is null)),
      check ((assigned_to is null) = (assigned_at is null))
    );
    create unique index release_reviews_open on release_reviews (release_id) where decision is null;
    create index release_reviews_queue on release_reviews (queued_at, release_id) where decision is null;
    create index release_reviews_decided on release_reviews (decided_at) where decision is not null;

    -- Whichever way a release comes into review, a round of it begins.
    create function open_review() returns trigger language plpgsql as $$
    declare
      rounds smallint;
    begin
      select coalesce(max(round), 0) into rounds from release_reviews where release_id = new.id;
      insert into release_reviews (release_id, round, kind) values (new.id, rounds + 1,
        case when rounds = 0 then 'first' when tg_op = 'UPDATE' and old.state = 'rejected' then 'appeal' else 'resubmission' end);
      return null;
    end $$;
    create trigger open_review_of_new after insert on releases
      for each row when (new.state = 'in-review') execute function open_review();
    create trigger open_review_again after update of state on releases
      for each row when (new.state = 'in-review' and old.state <> 'in-review') execute function open_review();
    insert into release_reviews (release_id, round, kind, queued_at)
      select id, 1, 'first', created_at from releases where state = 'in-review';

    -- Whose patches need no moderator where nothing speaks against them.
    create table trusted_publishers (
      organisation_id uuid primary key references organisations,
      reason text not null check (length(reason) between 1 and 1000),
      created_at timestamptz not null default now()
    );
  `);
}
