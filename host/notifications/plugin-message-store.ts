import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import { NOTIFY_PER_HOUR_MAX } from '../../plugins-sdk/contract/index.ts';
import { onceFor, recordCall } from '../capabilities/call-results-store.ts';
import type { PluginMessages } from './contract.ts';
import { messageOf } from './plugin-message.ts';

/** Adds a message unless there are as many as there may be; the lock makes the count exact. */
const ADD = `
  INSERT INTO notifications (id, organisation_id, installation_id, at, kind, subject, body, facts)
  SELECT CAST(:id AS uuid), CAST(:operatorId AS uuid), CAST(:installationId AS uuid), now(), 'plugin-message', :subject, :body, CAST(:facts AS json)
  WHERE (SELECT count(*) FROM (SELECT 1 FROM notifications
    WHERE installation_id = CAST(:installationId AS uuid) AND at > now() - interval '1 hour' LIMIT ${NOTIFY_PER_HOUR_MAX}) AS counted)
    < ${NOTIFY_PER_HOUR_MAX}
  RETURNING id`;

/** Messages of plugins among the notifications in PostgreSQL. */
export const pluginMessageStore = (database: Knex): PluginMessages => ({
  send: (installation, message, key) =>
    onceFor(database, key, () =>
      database.transaction(async (transaction) => {
        await transaction.raw("SELECT pg_advisory_xact_lock(hashtextextended('notify ' || ?, 0))", [installation.id]);
        const { subject, body, facts } = messageOf(installation, message);
        const { rows } = await transaction.raw<{ rows: { id: string }[] }>(ADD, {
          id: uuidv7(),
          operatorId: installation.operator.id,
          installationId: installation.id,
          subject,
          body,
          facts: JSON.stringify(facts),
        });
        if (rows.length === 0) return null;
        await recordCall(transaction, key, rows[0]!.id);
        return rows[0]!.id;
      }),
    ),
});
