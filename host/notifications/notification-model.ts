import { Model } from 'objection';

export class NotificationModel extends Model {
  static override tableName = 'notifications';
  static override jsonAttributes = ['facts'];
  declare id: string;
  declare organisation_id: string;
  declare at: Date;
  declare kind: string;
  declare subject: string;
  declare body: string;
  declare facts: unknown;
  declare read_at: Date | null;
}
