import type { Knex } from 'knex';
import { type Alert, type AlertingEntry, notificationId } from './rules/alert-of.ts';

export interface AlertStore {
  /** Tells whom it concerns, unless they heard the same within the hour; returns how many were told. Exact over several hosts. */
  tell(entry: AlertingEntry, alert: Alert): Promise<number>;
}

/** One of a kind about one thing within this time. */
const QUIET = "interval '1 hour'";

export const alertStore = (system: Knex): AlertStore => ({
  tell: (entry, { kind, subject, body, platform }) =>
    system.transaction(async (transaction) => {
      await transaction.raw("select pg_advisory_xact_lock(hashtextextended('gatehouse alerts', 0))");
      const told = await concerned(transaction, entry, platform);
      let count = 0;
      for (const organisationId of told) {
        const key = `${kind} ${entry.action} ${entry.subject.id}`;
        const { rowCount } = await transaction.raw(
          `insert into notifications (id, organisation_id, at, kind, subject, body, facts)
           select :id, :organisationId, :at::timestamptz, 'security-alert', :subject, :body, :facts::json
           where not exists (select from notifications where organisation_id = :organisationId and kind = 'security-alert'
             and facts ->> 'key' = :key and at > :at::timestamptz - ${QUIET})
           on conflict (id) do nothing`,
          {
            id: notificationId(entry.id, organisationId),
            organisationId,
            at: entry.at,
            subject,
            body,
            key,
            facts: JSON.stringify({
              key,
              alert: kind,
              action: entry.action,
              entryId: entry.id,
              subject: entry.subject,
            }),
          },
        );
        count += rowCount;
      }
      return count;
    }),
});

/** The organisation whose matter it is, those of the person it is about, and the platform where it must know. */
async function concerned(transaction: Knex, { organisationId, subject, actor }: AlertingEntry, platform: boolean) {
  const told = new Set<string>(organisationId === null ? [] : [organisationId]);
  const accountId = subject.kind === 'account' ? subject.id : actor.accountId;
  if (organisationId === null && accountId !== undefined) {
    for (const id of await transaction('memberships').where({ account_id: accountId }).pluck('organisation_id'))
      told.add(id);
  }
  if (platform) {
    for (const id of await transaction('organisations').where({ kind: 'platform' }).pluck('id')) told.add(id);
  }
  return told;
}
