import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { AuditFilter, AuditRecord, Registry } from '../../registry/index.ts';
import { CSV_HEAD, csvLine } from '../audit/csv.ts';
import { keepContext } from '../database-context.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Digest, Id, nullable, oneOf, page, pageFields, Slug, strict, Timestamp } from './fields.ts';

const OUTCOMES = ['done', 'unchanged', 'refused'] as const;

const Actor = Type.Object(
  {
    via: oneOf(['token', 'session', 'system', 'anonymous']),
    credentialId: Type.Optional(Type.String({ description: 'Id of the token or of the session.' })),
    accountId: Type.Optional(Type.String()),
    organisationId: Type.Optional(Type.String()),
    role: Type.Optional(Type.String()),
    part: Type.Optional(Type.String({ description: 'Which part of the platform acted by itself.' })),
  },
  { title: 'AuditActor' },
);

const AuditEntry = Type.Object(
  {
    sequence: Type.Integer({ description: 'Place in the one chain of the platform, which has no gaps.' }),
    id: Id,
    at: Timestamp,
    action: Type.String({ examples: ['token.issue'] }),
    outcome: oneOf(OUTCOMES),
    organisationId: nullable(Id),
    actor: Actor,
    subject: Type.Object({ kind: Type.String(), id: Type.String() }),
    before: Type.Unsafe<Json>({
      description: 'What was to be seen of it before, where that says something; never a secret.',
    }),
    after: Type.Unsafe<Json>({ description: 'And after.' }),
    address: nullable(
      Type.String({ description: 'Null where no request did it, or where somebody of another organisation did.' }),
    ),
    requestId: nullable(Type.String()),
    hash: Digest,
  },
  { title: 'AuditEntry' },
);

const filters = {
  organisation: Type.Optional({ ...Slug, description: 'Slug; for auditors of the platform.' }),
  action: Type.Optional(
    Type.String({
      pattern: '^[a-z][a-z0-9-]*\\.([a-z][a-z0-9-]*)?$',
      maxLength: 80,
      description: '`token.issue`; `token.` for all of tokens.',
    }),
  ),
  actor: Type.Optional({ ...Id, description: 'Id of a token, a session or an account.' }),
  subject: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$', description: 'Id of what it was done to.' }),
  ),
  outcome: Type.Optional(oneOf(OUTCOMES)),
  from: Type.Optional(Timestamp),
  to: Type.Optional({ ...Timestamp, description: 'Not included.' }),
};

export interface AuditRoutePorts {
  registry: Pick<Registry, 'listAudit' | 'exportAudit'>;
}

/** Who did what. */
export const auditRoutes = ({ registry }: AuditRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/audit',
    consumer: 'Everybody',
    summary: 'The audit trail, newest first: of your organisation; of all, for auditors of the platform.',
    allow: ['audit:read'],
    query: Type.Object({ ...filters, ...pageFields }, strict),
    reply: { 200: page(AuditEntry, 'AuditEntries') },
    refuses: ['cursor-invalid', 'organisation-foreign', 'organisation-unknown'],
    handle: ({ principal, query }) => registry.listAudit(principal, query) as never,
  }),
  route({
    method: 'GET',
    path: '/v1/audit/export',
    consumer: 'Everybody',
    summary: 'The same as one file, newest first: an entry a line, as JSON or as CSV.',
    allow: ['audit:read'],
    query: Type.Object({ ...filters, format: Type.Optional(oneOf(['ndjson', 'csv'], 'Default: ndjson.')) }, strict),
    reply: { 200: Type.Unsafe<string>({ type: 'string', contentMediaType: 'application/x-ndjson' }) },
    refuses: ['organisation-foreign', 'organisation-unknown'],
    handle: async ({ principal, query: { format = 'ndjson', ...filter } }) => {
      const records = await registry.exportAudit(principal, filter as AuditFilter);
      const lines = format === 'csv' ? csvLines(records) : jsonLines(records);
      // A stream asks for more whenever its reader has room, which is nobody's async context.
      const next = keepContext(() => lines.next());
      const body = { [Symbol.asyncIterator]: () => ({ next, return: () => lines.return(undefined) }) };
      return answer(Readable.from(body, { objectMode: false }), {
        mediaType: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
        headers: { 'Content-Disposition': `attachment; filename="audit.${format}"` },
      });
    },
  }),
];

async function* jsonLines(records: AsyncIterable<AuditRecord>): AsyncGenerator<Buffer> {
  for await (const record of records) yield Buffer.from(`${JSON.stringify(record)}\n`);
}

async function* csvLines(records: AsyncIterable<AuditRecord>): AsyncGenerator<Buffer> {
  yield Buffer.from(CSV_HEAD);
  for await (const record of records) yield Buffer.from(csvLine(record));
}
