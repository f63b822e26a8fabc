import { Model } from 'objection';

export interface InstallationRow {
  id: string;
  operator_id: string;
  operator_slug: string;
  slug: string;
  plugin: string;
  version: string;
  release_id: string;
  bundle_digest: string;
  grants: unknown;
  config: unknown;
  granted_limits: unknown;
  enabled: boolean;
  created_at: Date;
  updated_at: Date;
}

export class InstallationModel extends Model implements InstallationRow {
  static override tableName = 'installations';
  static override jsonAttributes = ['grants', 'config', 'granted_limits'];
  declare id: string;
  declare operator_id: string;
  declare operator_slug: string;
  declare slug: string;
  declare plugin: string;
  declare version: string;
  declare release_id: string;
  declare bundle_digest: string;
  declare grants: unknown;
  declare config: unknown;
  declare granted_limits: unknown;
  declare enabled: boolean;
  declare created_at: Date;
  declare updated_at: Date;
}
