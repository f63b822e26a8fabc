import { Model, snakeCaseMappers } from 'objection';
import type { OrganisationKind } from '../rules/permissions.ts';

export class OrganisationModel extends Model {
  static override tableName = 'organisations';
  static override columnNameMappers = snakeCaseMappers();
  declare id: string;
  declare slug: string;
  declare kind: OrganisationKind;
  declare name: string;
}
