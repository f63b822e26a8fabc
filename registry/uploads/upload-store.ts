import type { Knex } from 'knex';
import type { Upload } from './contract.ts';

type StoredUpload = Upload & { organisationId: string };

export interface UploadStore {
  /** False where the id is taken, by whomever. */
  insert(upload: Omit<StoredUpload, 'received'> & { createdAt: Date }): Promise<boolean>;
  /** Locked until the end of the transaction. */
  lock(organisationId: string, id: string): Promise<Upload | null>;
  /**
   * Those of the organisation that have not expired; the others are deleted. Who counts at the same time waits until the end of the
   * transaction, so that nobody makes room for themselves twice.
   */
  lockCount(organisationId: string, now: Date): Promise<number>;
  addPart(id: string, part: { start: number; content: Buffer }): Promise<void>;
  /** The bytes from `start` on of the part that begins there; null where none does. */
  partAt(id: string, start: number): Promise<Buffer | null>;
  content(id: string): Promise<Buffer>;
  remove(id: string): Promise<void>;
}

export function createUploadStore(database: Knex): UploadStore {
  return {
    async insert({ id, organisationId, bytes, sha256, plugin, expiresAt, createdAt }) {
      const owned = { id, organisation_id: organisationId, plugin };
      const row = { ...owned, bytes, sha256, created_at: createdAt, expires_at: expiresAt };
      return (await database('uploads').insert(row).onConflict('id').ignore().returning('id')).length === 1;
    },
    async lock(organisationId, id) {
      const row = await database('uploads').where({ id, organisation_id: organisationId }).forUpdate().first();
      if (!row) return null;
      const { bytes, sha256, plugin, received, expires_at } = row;
      return { id, bytes, sha256, plugin, received, expiresAt: expires_at.toISOString() };
    },
    async lockCount(organisationId, now) {
      await database.raw("select pg_advisory_xact_lock(hashtextextended('uploads ' || ?, 0))", [organisationId]);
      const own = () => database('uploads').where({ organisation_id: organisationId });
      await own().where('expires_at', '<=', now).delete();
      return Number((await own().count())[0]!.count);
    },
    async addPart(id, { start, content }) {
      await database('upload_parts').insert({ upload_id: id, start, content });
      await database('uploads')
        .where({ id })
        .update({ received: start + content.length });
    },
    partAt: async (id, start) =>
      (await database('upload_parts').where({ upload_id: id, start }).first('content'))?.content ?? null,
    content: async (id) =>
      Buffer.concat(await database('upload_parts').where({ upload_id: id }).orderBy('start').pluck('content')),
    async remove(id) {
      await database('uploads').where({ id }).delete();
    },
  };
}
