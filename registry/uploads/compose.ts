import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { Principal, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import type { Upload, Uploads } from './contract.ts';
import { createUploadStore, type UploadStore } from './upload-store.ts';

export interface UploadPorts {
  /** For whoever acts. */
  database: Knex;
  publishRelease: Registry['publishRelease'];
  nowMs: () => number;
}

const KEEP_MS = 24 * 3_600_000;
/** With the largest archives 80 MiB: what one publisher may leave lying about. */
const OPEN_MAX = 20;

export function createUploads({ database, publishRelease, nowMs }: UploadPorts): Uploads {
  const locked = <Result>(
    actor: Principal,
    id: string,
    work: (store: UploadStore, upload: Upload) => Promise<Result>,
  ) =>
    database.transaction(async (transaction) => {
      const store = createUploadStore(transaction);
      const upload = isUuid(id) ? await store.lock(actor.organisation.id, id) : null;
      if (upload === null || Date.parse(upload.expiresAt) <= nowMs()) throw new RegistryRefusal('upload-unknown');
      return work(store, upload);
    });

  return {
    begin: (actor, { id, bytes, sha256 }) =>
      database.transaction(async (transaction) => {
        const { id: organisationId, kind } = actor.organisation;
        if (kind !== 'publisher') throw new RegistryRefusal('publisher-foreign', 'Only publishers upload archives.');
        const store = createUploadStore(transaction);
        const open = await store.count(organisationId, new Date(nowMs()));
        const before = await store.lock(organisationId, id);
        if (before === null && open >= OPEN_MAX) throw new RegistryRefusal('uploads-too-many', undefined, { open });
        const expiresAt = new Date(nowMs() + KEEP_MS).toISOString();
        await store.insert({ id, organisationId, bytes, sha256, expiresAt, createdAt: new Date(nowMs()) });
        const upload = await store.lock(organisationId, id);
        if (upload?.bytes !== bytes || upload.sha256 !== sha256)
          throw new RegistryRefusal('upload-conflict', 'The id was used for another upload; choose a new one.');
        return upload;
      }),
    find: (actor, id) => locked(actor, id, async (_store, upload) => upload),
    addPart: (actor, id, part) => locked(actor, id, (store, upload) => addPart(store, upload, part)),
    publish: async (actor, id, envelope) => {
      const archive = await locked(actor, id, wholeArchive);
      const release = await publishRelease(actor, { archive, envelope });
      await createUploadStore(database).remove(id);
      return release;
    },
  };
}

async function addPart(store: UploadStore, upload: Upload, part: { start: number; content: Buffer }): Promise<Upload> {
  const { id, bytes, received } = upload;
  const end = part.start + part.content.length;
  if (part.start < received) {
    // Sent again, because its answer was lost.
    if ((await store.partAt(id, part.start))?.equals(part.content)) return upload;
    throw new RegistryRefusal('upload-conflict', 'Another part came for this place before.', { received });
  }
  if (part.start > received || end > bytes)
    throw new RegistryRefusal(
      'upload-part-misplaced',
      end > bytes ? `The part ends at ${end}, but only ${bytes} bytes were announced.` : undefined,
      { received, bytes },
    );
  await store.addPart(id, part);
  return { ...upload, received: end };
}

async function wholeArchive(store: UploadStore, { id, bytes, received, sha256 }: Upload): Promise<Buffer> {
  if (received < bytes) {
    const message = `Only ${received} of ${bytes} bytes are here; go on from there.`;
    throw new RegistryRefusal('upload-part-misplaced', message, { received, bytes });
  }
  const archive = await store.content(id);
  const found = createHash('sha256').update(archive).digest('hex');
  if (found !== sha256)
    throw new RegistryRefusal('upload-conflict', 'What was uploaded is not what was announced; begin a new upload.', {
      announced: sha256,
      found,
    });
  return archive;
}
