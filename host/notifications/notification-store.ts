import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest } from '../../registry/index.ts';
import { readCursor, toPage } from '../installations/page.ts';
import { storableJson } from '../storable-json.ts';
import type { Notification, NotificationKind } from './contract.ts';
import { NotificationModel } from './notification-model.ts';

export type NewNotification = Omit<Notification, 'readAt'> & { organisationId: string };

export interface NotificationStore {
  /** However many. Those whose ids are there already stay as they are. */
  add(notifications: NewNotification[]): Promise<void>;
  /** Newest first. */
  page(organisationId: string, filter: PageRequest & { unread?: boolean }): Promise<Page<Notification>>;
  /** Keeps the time at which it was read first; null where the organisation has no such notification. */
  markRead(organisationId: string, id: string, atMs: number): Promise<Notification | null>;
}

export function notificationStore(database: Knex): NotificationStore {
  return {
    add: async (notifications) => {
      if (notifications.length === 0) return;
      await database.raw(
        `INSERT INTO notifications (id, organisation_id, at, kind, subject, body, facts)
         SELECT * FROM json_to_recordset(:rows) AS told
           (id uuid, organisation_id uuid, at timestamptz, kind text, subject text, body text, facts json)
         ON CONFLICT DO NOTHING`,
        {
          rows: storableJson(
            notifications.map(({ organisationId, ...told }) => ({ ...told, organisation_id: organisationId })),
          ),
        },
      );
    },
    page: async (organisationId, { cursor, limit = 50, unread }) => {
      const found = await NotificationModel.query(database)
        .where({ organisation_id: organisationId })
        .modify((query) => {
          if (unread) query.whereNull('read_at');
          if (cursor !== undefined) query.where('id', '<', readCursor(cursor));
        })
        .orderBy('id', 'desc')
        .limit(limit + 1);
      return toPage(found.map(fromRow), limit);
    },
    markRead: async (organisationId, id, atMs) => {
      const own = { id, organisation_id: organisationId };
      await database('notifications')
        .where(own)
        .whereNull('read_at')
        .update({ read_at: new Date(atMs) });
      const row = await NotificationModel.query(database).findOne(own);
      return row ? fromRow(row) : null;
    },
  };
}

const fromRow = (row: NotificationModel): Notification => ({
  id: row.id,
  at: row.at.toISOString(),
  kind: row.kind as NotificationKind,
  subject: row.subject,
  body: row.body,
  facts: row.facts as Json,
  readAt: row.read_at?.toISOString() ?? null,
});
