import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { RECORDING_BYTES_MAX, type Recording } from '../../plugins-sdk/contract/recording.ts';
import type { Principal, Registry } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Installation } from '../installations/contract.ts';
import type { RecordingEntry, Recordings } from './contract.ts';
import { createInvocationRecorder, type InvocationRecorder, type RecorderPorts } from './record-invocations.ts';
import type { RecordingStore } from './recording-store.ts';
import { isShared, sideOf } from './rules/may-see.ts';
import type { RecordingSettings } from './rules/settings.ts';

export interface OpenRecordingsPorts extends Omit<RecordingsPorts, 'flush'>, Omit<RecorderPorts, 'store' | 'engine'> {
  /** The guest runtime, as the sandbox gets it. */
  guest: string;
  hostVersion: string;
  /** Where invocations are recorded; `store` is where people look. */
  recorded: RecorderPorts['store'];
}

/** What records invocations, and what shows the recordings. */
export function openRecordings({ guest, hostVersion, recorded, ...ports }: OpenRecordingsPorts): {
  invocationRecorder: InvocationRecorder;
  recordings: Recordings;
} {
  const { node, v8 } = process.versions;
  const engine = { gatehouse: hostVersion, node, v8, guest: sha256Hex(guest) };
  const invocationRecorder = createInvocationRecorder({ ...ports, store: recorded, engine });
  return { invocationRecorder, recordings: createRecordings({ ...ports, flush: invocationRecorder.flush }) };
}

export interface RecordingsPorts {
  store: RecordingStore;
  /** Resolves when what was recorded so far can be read. */
  flush(): Promise<void>;
  findInstallation(id: string): Promise<Installation | null>;
  registry: Pick<Registry, 'loadBundle'>;
}

type Side = 'operator' | 'publisher';
const expand = promisify(gunzip);

export function createRecordings({ store, flush, findInstallation, registry }: RecordingsPorts): Recordings {
  const placeOf = async (actor: Principal, id: string): Promise<Side> => {
    const installation = await findInstallation(id);
    const side = installation && sideOf(actor.organisation, installation);
    if (!side) throw new HostRefusal('installation-unknown');
    return side;
  };

  /** Whoever may not see it is told the same as where there is none. */
  const visible = async (actor: Principal, id: string): Promise<{ entry: RecordingEntry; side: Side }> => {
    await flush();
    const entry = await store.byId(id);
    const installation = entry && (await findInstallation(entry.installationId));
    const side = installation && sideOf(actor.organisation, installation);
    if (!entry || !side) throw new HostRefusal('recording-unknown');
    if (side === 'publisher') {
      const { share } = await store.settingsOf(entry.installationId);
      // The installation may have another plugin's release by now; the recording is of this one.
      const own = entry.plugin.startsWith(`${actor.organisation.slug}/`);
      if (!own || !isShared(share, entry.outcome)) throw new HostRefusal('recording-unknown');
    }
    return { entry, side };
  };

  return {
    list: async (actor, installationId, page) => {
      const side = await placeOf(actor, installationId);
      const { share } = await store.settingsOf(installationId);
      if (side === 'publisher' && share === 'none') throw new HostRefusal('recordings-not-shared');
      await flush();
      return store.page(installationId, page, side === 'publisher' && share === 'failures');
    },
    find: async (actor, id) => (await visible(actor, id)).entry,
    read: async (actor, id) => {
      const { entry } = await visible(actor, id);
      const content = await store.content(entry.id);
      if (content === null) throw new HostRefusal('recording-unknown');
      return JSON.parse((await expand(content, { maxOutputLength: 2 * RECORDING_BYTES_MAX })).toString()) as Recording;
    },
    bundle: async (actor, id) => {
      const { entry, side } = await visible(actor, id);
      if (side === 'publisher') return registry.loadBundle(entry.bundleDigest, entry.releaseId);
      throw new HostRefusal('permission-denied', 'Only the publisher of a plugin can have its code.');
    },
    remove: async (actor, id) => {
      const { entry, side } = await visible(actor, id);
      if (side !== 'operator') throw new HostRefusal('permission-denied', 'Only the operator can delete a recording.');
      await store.remove(entry.id);
    },
    settings: async (actor, installationId) => {
      await placeOf(actor, installationId);
      return store.settingsOf(installationId);
    },
    configure: async (actor, installationId, change) => {
      const side = await placeOf(actor, installationId);
      if (side === 'publisher') requireSampleRateOnly(await store.settingsOf(installationId), change);
      return store.configure(installationId, change);
    },
  };
}

function requireSampleRateOnly({ share }: RecordingSettings, change: Partial<RecordingSettings>): void {
  if (share === 'all' && Object.keys(change).every((name) => name === 'sampleRate')) return;
  const why =
    share === 'all'
      ? 'Only the operator can change this; a publisher can change the sample rate.'
      : 'Only the operator can change this. A publisher can change the sample rate once everything is shared with it.';
  throw new HostRefusal('permission-denied', why);
}
