import { Model, snakeCaseMappers } from 'objection';

export class KeyModel extends Model {
  static override tableName = 'publisher_keys';
  static override columnNameMappers = snakeCaseMappers();
  declare id: string;
  declare organisationId: string;
  declare keyId: string;
  declare label: string;
  declare publicKeyPem: string;
  declare revokedAt: Date | null;
  declare retiresAt: Date | null;
  declare successorId: string | null;
  declare compromisedSince: Date | null;
  declare createdAt: Date;
}
