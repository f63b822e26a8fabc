import { Model, snakeCaseMappers } from 'objection';
import type { TokenRole } from '../rules/permissions.ts';

export class TokenModel extends Model {
  static override tableName = 'api_tokens';
  static override columnNameMappers = snakeCaseMappers();
  declare id: string;
  declare organisationId: string;
  declare role: TokenRole;
  declare label: string;
  declare secretSha256: Buffer;
  declare expiresAt: Date | null;
  declare revokedAt: Date | null;
  declare createdAt: Date;
  declare accountId: string | null;
  declare scopes: string[] | null;
  declare installationIds: string[] | null;
  declare plugin: string | null;
  declare addressRanges: string[] | null;
  declare lastUsedAt: Date | null;
  declare successorId: string | null;
}
