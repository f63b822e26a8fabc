import { Model } from 'objection';

export class InstallationLogModel extends Model {
  static override tableName = 'installation_logs';
  static override jsonAttributes = ['facts'];
  declare id: string;
  declare installation_id: string;
  declare at: Date;
  declare invocation_id: string;
  declare source: string;
  declare level: string;
  declare message: string;
  declare facts: unknown;
}
