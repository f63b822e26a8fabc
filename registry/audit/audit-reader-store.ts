import type { Knex } from 'knex';
import type { AuditFilter } from '../contract.ts';

/** An entry as it is stored. */
export interface StoredEntry {
  id: string;
  at: Date;
  organisationId: string | null;
  content: string;
  sequence: bigint;
  hash: Buffer;
}

/** A link and the entry that it names; null where there is none. */
export interface StoredLink {
  sequence: bigint;
  entryId: string;
  hash: Buffer;
  entry: { id: string; at: Date; organisationId: string | null; action: string; content: string } | null;
}

export interface AuditHead {
  sequence: bigint;
  hash: Buffer;
  signedAt: string;
  keyId: string;
  signature: Buffer;
}

export interface AuditReaderStore {
  /** Newest first; `before` is the id that the page before ended with. */
  page(
    filter: Omit<AuditFilter, 'cursor' | 'organisation'> & { organisationId?: string | null },
    before: string | null,
    limit: number,
  ): Promise<StoredEntry[]>;
  /** By sequence. */
  links(after: bigint, limit: number): Promise<StoredLink[]>;
  /** Entries that are in no link: at most `limit` ids. */
  unlinked(limit: number): Promise<string[]>;
  /** The end of the chain; null where its row is gone. */
  tail(): Promise<{ sequence: bigint; hash: Buffer } | null>;
  /** By sequence. */
  heads(after: bigint, limit: number): Promise<AuditHead[]>;
  lastHead(): Promise<AuditHead | null>;
  /** Nothing happens where another host signed the same. */
  addHead(head: AuditHead): Promise<void>;
}

export function createAuditReaderStore(database: Knex): AuditReaderStore {
  return {
    page: async (filter, before, limit) => {
      const { organisationId, action, actor, subject, outcome, from, to } = filter;
      const rows: Row[] = await database('audit_entries as e')
        .join('audit_links as l', 'l.entry_id', 'e.id')
        .select('e.id', 'e.at', 'e.organisation_id', 'e.content', 'l.sequence', 'l.hash')
        .modify((query) => {
          if (organisationId !== undefined) query.where('e.organisation_id', organisationId);
          if (action?.endsWith('.')) query.whereRaw('starts_with(e.action, ?)', [action]);
          else if (action !== undefined) query.where('e.action', action);
          if (actor !== undefined)
            query.where((or) => or.where('e.credential_id', actor).orWhere('e.account_id', actor));
          if (subject !== undefined) query.where('e.subject_id', subject);
          if (outcome !== undefined) query.where('e.outcome', outcome);
          if (from !== undefined) query.where('e.at', '>=', new Date(from));
          if (to !== undefined) query.where('e.at', '<', new Date(to));
          if (before !== null) query.where('e.id', '<', before);
        })
        .orderBy('e.id', 'desc')
        .limit(limit);
      return rows.map((row) => ({ ...entryOf(row), sequence: BigInt(row.sequence), hash: row.hash }));
    },
    links: async (after, limit) => {
      const rows: (Row & { entry_id: string; action: string })[] = await database('audit_links as l')
        .leftJoin('audit_entries as e', 'e.id', 'l.entry_id')
        .select('l.sequence', 'l.entry_id', 'l.hash', 'e.id', 'e.at', 'e.organisation_id', 'e.action', 'e.content')
        .where('l.sequence', '>', String(after))
        .orderBy('l.sequence')
        .limit(limit);
      return rows.map((row) => ({
        sequence: BigInt(row.sequence),
        entryId: row.entry_id,
        hash: row.hash,
        entry: row.id === null ? null : { ...entryOf(row), action: row.action },
      }));
    },
    unlinked: async (limit): Promise<string[]> =>
      database('audit_entries as e')
        .whereNotExists((links) =>
          links.select(database.raw('1')).from('audit_links as l').whereRaw('l.entry_id = e.id'),
        )
        .orderBy('e.id')
        .limit(limit)
        .pluck('e.id'),
    tail: async () => {
      const row = await database('audit_chain').first();
      return row ? { sequence: BigInt(row.sequence), hash: row.hash } : null;
    },
    heads: async (after, limit) =>
      (await database('audit_heads').where('sequence', '>', String(after)).orderBy('sequence').limit(limit)).map(
        headOf,
      ),
    lastHead: async () => {
      const row = await database('audit_heads').orderBy('sequence', 'desc').first();
      return row ? headOf(row) : null;
    },
    addHead: async ({ sequence, hash, signedAt, keyId, signature }) => {
      const row = { sequence: String(sequence), hash, signed_at: signedAt, key_id: keyId, signature };
      await database('audit_heads').insert(row).onConflict('sequence').ignore();
    },
  };
}

interface Row {
  id: string;
  at: Date;
  organisation_id: string | null;
  content: string;
  sequence: string;
  hash: Buffer;
}

const entryOf = (row: Row) => ({
  id: row.id,
  at: row.at,
  organisationId: row.organisation_id,
  content: row.content,
});

const headOf = (row: {
  sequence: string;
  hash: Buffer;
  signed_at: Date;
  key_id: string;
  signature: Buffer;
}): AuditHead => ({
  sequence: BigInt(row.sequence),
  hash: row.hash,
  signedAt: row.signed_at.toISOString(),
  keyId: row.key_id,
  signature: row.signature,
});
