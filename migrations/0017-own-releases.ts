import type { Knex } from 'knex';

/** A release says itself whose it is, so that row-level security need not ask its plugin, which asks for its releases. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table releases add column organisation_id uuid references organisations;
    update releases set organisation_id = plugins.organisation_id from plugins where plugins.id = releases.plugin_id;
    alter table releases alter column organisation_id set not null;
    create index releases_by_organisation on releases (organisation_id);

    -- Nobody says it: it is that of the plugin.
    create function own_release() returns trigger language plpgsql as $$
    begin
      select organisation_id into new.organisation_id from plugins where id = new.plugin_id;
      return new;
    end $$;
    create trigger own_release before insert on releases for each row execute function own_release();
  `);
}
