import type { Knex } from 'knex';
import { type Audit, type AuditOrigin, auditContent } from '../rules/audit-entry.ts';

export interface AuditPorts {
  nowMs: () => number;
  newId: () => string;
  /** The request that is being answered; null outside of one. */
  origin: () => AuditOrigin | null;
}

/** How to audit within a transaction, or by itself: `auditIn(transaction)(entry)`. */
export type AuditIn = (database: Knex) => Audit;

/** Entries in PostgreSQL; a trigger makes them links of the chain when their transaction commits. */
export const createAuditIn =
  ({ nowMs, newId, origin }: AuditPorts): AuditIn =>
  (database) =>
  async (entry) => {
    const id = newId();
    const { content, at } = auditContent(entry, { id, atMs: nowMs(), origin: origin() });
    await database('audit_entries').insert({ id, at, organisation_id: entry.organisationId, content });
  };
