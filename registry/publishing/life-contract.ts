import type { Principal, Release } from '../contract.ts';

/** A channel: a name that its publisher lets point at a published release. */
export interface DistTag {
  tag: string;
  version: string;
  updatedAt: string;
}

/** What publishers decide about releases once they are published. Every refusal is a RegistryRefusal. */
export interface ReleaseLife {
  /**
   * One release for good: nobody installs it anew, and who runs it goes on. Its publisher or a moderator; idempotent, the reason
   * given first stays. Refuses with: release-unknown, release-state-invalid, token-restricted.
   */
  yank(actor: Principal, releaseId: string, notice: NoticeWish): Promise<Release>;
  /** Null takes it back. Idempotent. Refuses with: release-unknown, release-state-invalid, token-restricted. */
  deprecate(actor: Principal, releaseId: string, notice: NoticeWish | null): Promise<Release>;
  /** Whether the catalogue shows a plugin; it is found by its name either way. Refuses with: plugin-unknown, token-restricted. */
  setListed(actor: Principal, plugin: string, listed: boolean): Promise<void>;
  /** By name; `latest` is the newest release and always there. Refuses with: plugin-unknown. */
  listTags(plugin: string): Promise<DistTag[]>;
  /** Refuses with: plugin-unknown, dist-tag-invalid, release-unknown, release-state-invalid, token-restricted. */
  setTag(actor: Principal, wish: { plugin: string; tag: string; version: string }): Promise<DistTag[]>;
  /** Idempotent. Refuses with: plugin-unknown, dist-tag-invalid, token-restricted. */
  removeTag(actor: Principal, wish: { plugin: string; tag: string }): Promise<DistTag[]>;
}

export interface NoticeWish {
  reason: string;
  /** A published version of the same plugin. */
  replacement?: string;
}
