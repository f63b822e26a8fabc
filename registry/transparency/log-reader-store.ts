import type { Knex } from 'knex';
import type { DsseEnvelope, SignedTreeHead } from '../../plugins-sdk/contract/index.ts';
import { RUNNABLE_STATES } from '../rules/runnable-release.ts';
import type { TreePlace } from './rules/prove-log.ts';

/** A leaf with the entry that it is over; null where that is gone. */
export interface StoredLeaf {
  index: number;
  hash: Buffer;
  content: string | null;
}

/** What a proof needs of a release: who published it, and with which signatures. */
export interface LoggedRelease {
  publisher: string;
  name: string;
  version: string;
  digest: string;
  envelope: DsseEnvelope;
  state: string;
  blocked: unknown;
}

export interface LogReaderStore {
  /** The tree's edge; null where its row is gone. */
  tree(): Promise<{ size: number; peaks: Buffer[] } | null>;
  /** In order, `from` included. */
  leaves(from: number, limit: number): Promise<StoredLeaf[]>;
  /** Hashes of complete subtrees, in the order asked for; null where there is none. */
  hashes(places: TreePlace[]): Promise<(Buffer | null)[]>;
  /** Entries that are in no leaf: at most `limit` ids. */
  unplaced(limit: number): Promise<string[]>;
  /** Releases that may run, and whose approval no entry tells of: at most `limit` names. */
  unlogged(limit: number): Promise<string[]>;
  /** The newest entry of this event about this release. */
  findRelease(event: string, release: string): Promise<number | null>;
  /** The first entry that registered the key. */
  findKey(keyId: string): Promise<number | null>;
  lastHead(): Promise<SignedTreeHead | null>;
  /** By size and time, after the one given. */
  heads(after: SignedTreeHead | null, limit: number): Promise<SignedTreeHead[]>;
  /** Nothing happens where another host signed the same. */
  addHead(head: SignedTreeHead): Promise<void>;
  releaseOf(digest: string): Promise<LoggedRelease | null>;
  publicKeyOf(keyId: string): Promise<string | null>;
}

export function createLogReaderStore(database: Knex): LogReaderStore {
  const position = (row: { position: string } | undefined) => (row ? Number(row.position) : null);
  const placed = () => database('transparency_entries as e').join('transparency_leaves as l', 'l.entry_id', 'e.id');
  return {
    tree: async () => {
      const row = await database('transparency_tree').first();
      return row ? { size: Number(row.size), peaks: row.peaks } : null;
    },
    leaves: async (from, limit) => {
      const rows = await database('transparency_leaves as l')
        .leftJoin('transparency_entries as e', 'e.id', 'l.entry_id')
        .select('l.position', 'l.hash', 'e.content')
        .where('l.position', '>=', from)
        .orderBy('l.position')
        .limit(limit);
      return rows.map(({ position: index, hash, content }) => ({ index: Number(index), hash, content }));
    },
    hashes: async (places) => {
      const at = (level: number) => places.filter((place) => (level === 0 ? place.level === 0 : place.level > 0));
      const leaves = at(0).map((place) => place.position);
      const nodes = at(1).map((place) => [place.level, place.position]);
      const rows: { level: number; position: string; hash: Buffer }[] = [
        ...(leaves.length === 0
          ? []
          : await database('transparency_leaves')
              .select(database.raw('0 as level'), 'position', 'hash')
              .whereIn('position', leaves)),
        ...(nodes.length === 0
          ? []
          : await database('transparency_nodes')
              .select('level', 'position', 'hash')
              .whereIn(['level', 'position'], nodes as never)),
      ];
      const found = new Map(rows.map((row) => [`${row.level} ${row.position}`, row.hash]));
      return places.map((place) => found.get(`${place.level} ${place.position}`) ?? null);
    },
    unplaced: async (limit): Promise<string[]> =>
      database('transparency_entries as e')
        .whereNotExists((leaves) =>
          leaves.select(database.raw('1')).from('transparency_leaves as l').whereRaw('l.entry_id = e.id'),
        )
        .orderBy('e.id')
        .limit(limit)
        .pluck('e.id'),
    unlogged: async (limit) => {
      const rows: { release: string }[] = await database('releases as r')
        .join('plugins as p', 'p.id', 'r.plugin_id')
        .join('organisations as o', 'o.id', 'p.organisation_id')
        .whereIn('r.state', [...RUNNABLE_STATES])
        .whereNotExists((entries) =>
          entries
            .select(database.raw('1'))
            .from('transparency_entries as e')
            .whereIn('e.event', ['release.approve', 'release.import'])
            .whereRaw("e.content::jsonb ->> 'digest' = r.digest"),
        )
        .orderBy('r.id')
        .limit(limit)
        .select(database.raw("o.slug || '/' || p.name || '@' || r.version as release"));
      return rows.map(({ release }) => release);
    },
    findRelease: async (event, release) =>
      position(await placed().where({ event, release }).orderBy('l.position', 'desc').first('l.position')),
    findKey: async (keyId) =>
      position(
        await placed().where({ event: 'key.register', key_id: keyId }).orderBy('l.position').first('l.position'),
      ),
    lastHead: async () => {
      const row = await database('transparency_heads').orderBy(NEWEST_HEAD).first();
      return row ? headOf(row) : null;
    },
    heads: async (after, limit) => {
      const rows = await database('transparency_heads')
        .modify((query) => {
          if (after !== null) query.whereRaw('(size, signed_at) > (?, ?)', [after.size, after.signedAt]);
        })
        .orderBy(['size', 'signed_at'])
        .limit(limit);
      return rows.map(headOf);
    },
    addHead: async ({ size, root, signedAt, keyId, signature }) => {
      await database('transparency_heads')
        .insert({
          size,
          root: Buffer.from(root, 'hex'),
          signed_at: signedAt,
          key_id: keyId,
          signature: Buffer.from(signature, 'base64'),
        })
        .onConflict(['size', 'signed_at'])
        .ignore();
    },
    releaseOf: async (digest) => {
      const row = await database('releases as r')
        .join('plugins as p', 'p.id', 'r.plugin_id')
        .join('organisations as o', 'o.id', 'p.organisation_id')
        .where('r.digest', digest)
        .first('r.version', 'r.digest', 'r.envelope', 'r.state', 'r.blocked', 'p.name', 'o.slug as publisher');
      return row ?? null;
    },
    publicKeyOf: async (keyId) => {
      const row = await database('publisher_keys').where({ key_id: keyId }).first('public_key_pem');
      return row?.public_key_pem ?? null;
    },
  };
}

const NEWEST_HEAD = [
  { column: 'size', order: 'desc' as const },
  { column: 'signed_at', order: 'desc' as const },
];

const headOf = (row: {
  size: string;
  root: Buffer;
  signed_at: Date;
  key_id: string;
  signature: Buffer;
}): SignedTreeHead => ({
  size: Number(row.size),
  root: row.root.toString('hex'),
  signedAt: row.signed_at.toISOString(),
  keyId: row.key_id,
  signature: row.signature.toString('base64'),
});
