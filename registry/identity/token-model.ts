import { Model, snakeCaseMappers } from 'objection';
import type { Role } from '../rules/permissions.ts';

export class TokenModel extends Model {
  static override tableName = 'api_tokens';
  static override columnNameMappers = snakeCaseMappers();
  declare id: string;
  declare organisationId: string;
  declare role: Role;
  declare label: string;
  declare secretSha256: Buffer;
  declare expiresAt: Date | null;
  declare revokedAt: Date | null;
  declare createdAt: Date;
}
