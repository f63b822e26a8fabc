import type { DsseEnvelope } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release } from '../contract.ts';

/** A release archive that comes in parts, so that a broken connection costs one part. */
export interface Upload {
  id: string;
  /** As announced: size and SHA-256 of the archive. */
  bytes: number;
  sha256: string;
  /** `<publisher>/<name>`: what is published of it is a release of this plugin; null: of whichever its manifest names. */
  plugin: string | null;
  /** So many of its first bytes are here; the next part begins there. */
  received: number;
  expiresAt: string;
}

/**
 * Uploads of the actor's organisation; for a token that is restricted to a plugin, those that were announced for it. Every refusal is a RegistryRefusal.
 */
export interface Uploads {
  /**
   * Idempotent by id. Refuses with: publisher-foreign (also where the plugin is another publisher's), token-restricted, upload-conflict,
   * uploads-too-many.
   */
  begin(actor: Principal, announced: { id: string; bytes: number; sha256: string; plugin?: string }): Promise<Upload>;
  /** Refuses with: upload-unknown. */
  find(actor: Principal, id: string): Promise<Upload>;
  /**
   * Adds the part that begins at `start`. One that came before is no harm as long as it is the same. Refuses with: upload-unknown,
   * upload-part-misplaced (`received` says where to go on), upload-conflict.
   */
  addPart(actor: Principal, id: string, part: { start: number; content: Buffer }): Promise<Upload>;
  /**
   * Publishes what was uploaded, as if it had come at once. Refuses with: upload-unknown, upload-part-misplaced (it is not complete),
   * upload-conflict (it is not what was announced, or of another plugin), and the codes of `publishRelease`.
   */
  publish(actor: Principal, id: string, envelope: DsseEnvelope): Promise<Release>;
}
