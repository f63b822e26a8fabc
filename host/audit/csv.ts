import type { AuditRecord } from '../../registry/index.ts';

const COLUMNS: Record<string, (record: AuditRecord) => unknown> = {
  sequence: ({ sequence }) => sequence,
  at: ({ at }) => at,
  action: ({ action }) => action,
  outcome: ({ outcome }) => outcome,
  organisation_id: ({ organisationId }) => organisationId,
  actor_via: ({ actor }) => actor.via,
  actor_credential_id: ({ actor }) => actor.credentialId,
  actor_account_id: ({ actor }) => actor.accountId,
  actor_role: ({ actor }) => actor.role ?? actor.part,
  subject_kind: ({ subject }) => subject.kind,
  subject_id: ({ subject }) => subject.id,
  before: ({ before }) => before,
  after: ({ after }) => after,
  address: ({ address }) => address,
  request_id: ({ requestId }) => requestId,
  id: ({ id }) => id,
  hash: ({ hash }) => hash,
};

export const CSV_HEAD = `${Object.keys(COLUMNS).join(',')}\r\n`;

/** One entry as a line of RFC 4180. */
export const csvLine = (record: AuditRecord): string =>
  `${Object.values(COLUMNS)
    .map((read) => cell(read(record)))
    .join(',')}\r\n`;

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // Spreadsheets take such a text for a formula (OWASP, CSV injection).
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
