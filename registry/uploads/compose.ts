import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { DsseEnvelope } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { pluginName } from '../rules/plugin-name.ts';
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
      // Whatever else its publisher uploads is none of a token's business that may publish one plugin.
      const only = actor.restrictions?.plugin;
      if (only !== undefined && upload.plugin !== only) throw new RegistryRefusal('upload-unknown');
      return work(store, upload);
    });

  return {
    begin: (actor, { id, bytes, sha256, plugin = null }) =>
      database.transaction(async (transaction) => {
        requireOwnPlugin(actor, plugin);
        const { id: organisationId } = actor.organisation;
        const store = createUploadStore(transaction);
        const open = await store.lockCount(organisationId, new Date(nowMs()));
        const before = await store.lock(organisationId, id);
        if (before === null && open >= OPEN_MAX) throw new RegistryRefusal('uploads-too-many', undefined, { open });
        const expiresAt = new Date(nowMs() + KEEP_MS).toISOString();
        await store.insert({ id, organisationId, bytes, sha256, plugin, expiresAt, createdAt: new Date(nowMs()) });
        const upload = await store.lock(organisationId, id);
        if (upload?.bytes !== bytes || upload.sha256 !== sha256 || upload.plugin !== plugin)
          throw new RegistryRefusal('upload-conflict', 'The id was used for another upload; choose a new one.');
        return upload;
      }),
    find: (actor, id) => locked(actor, id, async (_store, upload) => upload),
    addPart: (actor, id, part) => locked(actor, id, (store, upload) => addPart(store, upload, part)),
    publish: async (actor, id, envelope) => {
      const archive = await locked(actor, id, async (store, upload) => {
        requireSigned(upload, envelope);
        return wholeArchive(store, upload);
      });
      const release = await publishRelease(actor, { archive, envelope });
      await createUploadStore(database).remove(id);
      return release;
    },
  };
}

/** Refuses with: publisher-foreign, token-restricted. */
function requireOwnPlugin({ organisation, restrictions }: Principal, plugin: string | null): void {
  if (organisation.kind !== 'publisher')
    throw new RegistryRefusal('publisher-foreign', 'Only publishers upload archives.');
  if (plugin !== null && pluginName(plugin)?.publisher !== organisation.slug) {
    throw new RegistryRefusal('publisher-foreign', `${plugin} is no plugin of yours.`, { plugin });
  }
  const only = restrictions?.plugin;
  if (only === undefined || only === plugin) return;
  const message = `The token publishes ${only} only; say so when you announce the upload.`;
  throw new RegistryRefusal('token-restricted', message, { plugin: only });
}

/** What is signed must be of the plugin that was announced; that the archive is so too is seen where it is read. Refuses with: upload-conflict. */
function requireSigned({ plugin }: Upload, envelope: DsseEnvelope): void {
  if (plugin === null) return;
  const signed = statementIn(envelope);
  if (signed === plugin) return;
  throw new RegistryRefusal('upload-conflict', `The upload was announced for ${plugin}, but ${signed} was signed.`);
}

function statementIn({ payload }: DsseEnvelope): string {
  try {
    const { publisher, name } = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    return `${publisher}/${name}`;
  } catch {
    return 'nothing that can be read';
  }
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
