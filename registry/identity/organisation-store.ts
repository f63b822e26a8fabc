import type { Knex } from 'knex';
import type { Organisation } from '../contract.ts';
import { isSlug } from '../rules/plugin-name.ts';
import { OrganisationModel } from './organisation-model.ts';

export interface OrganisationStore {
  /** Null where the id or the slug is taken already. */
  insert(organisation: Organisation): Promise<Organisation | null>;
  findById(id: string): Promise<Organisation | null>;
  findBySlug(slug: string): Promise<Organisation | null>;
}

export function createOrganisationStore(database: Knex): OrganisationStore {
  const findBy = async (where: Partial<Organisation>) => {
    const row = await OrganisationModel.query(database).findOne(where);
    return row ? organisationOf(row) : null;
  };
  return {
    async insert(organisation) {
      const rows = await database('organisations').insert(organisation).onConflict().ignore().returning('id');
      return rows.length === 1 ? organisation : null;
    },
    findById: (id) => findBy({ id }),
    findBySlug: async (slug) => (isSlug(slug) ? findBy({ slug }) : null),
  };
}

const organisationOf = ({ id, slug, kind, name }: OrganisationModel): Organisation => ({ id, slug, kind, name });
