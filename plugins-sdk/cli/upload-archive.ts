import { randomUUID } from 'node:crypto';
import type { Release } from '../../registry/index.ts';
import { type DsseEnvelope, sha256Hex } from '../contract/index.ts';
import type { ApiClient } from './api-client.ts';
import { ServerRefusal } from './errors.ts';

/** Smaller archives go at once. */
export const PART_BYTES = 256 * 1024;
const BEGINNINGS_MAX = 2;

export type UploadApi = Pick<ApiClient, 'publishRelease' | 'beginUpload' | 'addPart' | 'publishUpload'>;

/**
 * Sends an archive in parts and publishes it. The upload's id follows from the bytes, so a second run goes on where the first one broke off.
 * `onProgress` is told how many bytes are there. Refuses with the codes of the host.
 */
export async function uploadArchive(
  api: UploadApi,
  { archive, envelope, plugin }: { archive: Buffer; envelope: DsseEnvelope; plugin?: string },
  onProgress: (sent: number, bytes: number) => void = () => {},
): Promise<Release> {
  if (archive.length <= PART_BYTES) return api.publishRelease(archive, envelope);
  const sha256 = sha256Hex(archive);
  const bytes = archive.length;
  let id = idOf(sha256);
  for (let beginning = 1; ; beginning += 1) {
    try {
      let { received } = await api.beginUpload({ id, bytes, sha256, ...(plugin !== undefined && { plugin }) });
      onProgress(received, bytes);
      while (received < bytes) {
        received = (await api.addPart(id, received, archive.subarray(received, received + PART_BYTES))).received;
        onProgress(received, bytes);
      }
      return await api.publishUpload(id, envelope);
    } catch (error) {
      // Gone because it was published and the answer got lost, expired, or another publisher's: the same bytes give the same release.
      const startsAnew = error instanceof ServerRefusal && ['upload-unknown', 'upload-conflict'].includes(error.code);
      if (!startsAnew || beginning === BEGINNINGS_MAX) throw error;
      id = randomUUID();
    }
  }
}

/** A UUID of version 8 (RFC 9562): bits of our own making. */
const idOf = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;

const BAR_CHARS = 24;

/** `[######------]  50 %` */
export function progressBar(sent: number, bytes: number): string {
  const share = bytes === 0 ? 1 : sent / bytes;
  const filled = Math.round(share * BAR_CHARS);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}] ${String(Math.round(share * 100)).padStart(3)} %`;
}
