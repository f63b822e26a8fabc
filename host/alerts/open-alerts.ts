import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { AuditIn } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { alertStore } from './alert-store.ts';
import { followTrail, type TrailReader } from './follow-trail.ts';
import { type AlertingEntry, type AlertKind, alertOf } from './rules/alert-of.ts';

/** Something that somebody responsible should hear of, and that no use case audits by itself. */
export interface RaisedEvent {
  /** Kebab-case; `security.<kind>` is the action in the audit trail. */
  kind: string;
  accountId: string | null;
  facts: object;
}

export interface Alerts extends TrailReader {
  /** Never rejects and never waits. */
  raise(event: RaisedEvent): void;
}

export interface AlertsPorts {
  /** Sees everything. */
  system: Knex;
  auditIn: AuditIn;
  /** Counts one alert that somebody was told of. */
  onAlert(kind: AlertKind): void;
  log: Log;
}

/**
 * Tells of the audit trail whom it concerns: whatever is audited can be heard of, whichever host did it. Every host reads; the id of a
 * notification follows from the entry, so that each is told once.
 */
export async function openAlerts({ system, auditIn, onAlert, log }: AlertsPorts): Promise<Alerts> {
  const store = alertStore(system);
  const tell = async (entry: AlertingEntry) => {
    const alert = alertOf(entry);
    if (alert === null || (await store.tell(entry, alert)) === 0) return;
    onAlert(alert.kind);
    const facts = { alert: alert.kind, action: entry.action, subject: entry.subject, entryId: entry.id };
    // What one organisation alone has to look at is told to it; whoever runs the host has nothing to do.
    if (alert.platform) log.warn(facts, 'security alert');
    else log.info(facts, 'security alert');
  };
  const { look, close } = await followTrail({ system, reader: 'alerts', tell, log });
  const pending = new Set<Promise<void>>();
  return {
    raise: ({ kind, accountId, facts }) => {
      const writing = auditIn(system)({
        action: `security.${kind}`,
        actor: { via: 'anonymous' },
        organisationId: null,
        subject: accountId === null ? { kind: 'login', id: 'unknown' } : { kind: 'account', id: accountId },
        after: facts as Json,
        outcome: 'refused',
      })
        .catch((error) => log.error({ err: error, kind }, 'security event not audited'))
        .finally(() => pending.delete(writing));
      pending.add(writing);
    },
    look,
    close: async () => {
      await close();
      await Promise.all(pending);
    },
  };
}
