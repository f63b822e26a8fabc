import type { ExportStep, ReleaseExport } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Release } from '../contract.ts';
import type { PublicReleaseEvent } from '../rules/log-event.ts';

/** What an import did: `updated` where the release was here and a newer status came with it. */
export type ImportOutcome = 'imported' | 'updated' | 'unchanged';

export interface ImportReport {
  outcome: ImportOutcome;
  /** What the transparency log was told, or would be; null where nothing changed. */
  event: PublicReleaseEvent | null;
  /** What the release is here now, or would be. */
  release: Release;
  /** Everything that was verified. */
  steps: ExportStep[];
  /** Nothing was kept. */
  dryRun: boolean;
}

/** Releases between registries that cannot reach each other. Every refusal is a RegistryRefusal. */
export interface Transfers {
  /**
   * A release that is or was published, with everything that proves it and what the registry says of it now. One that came from another
   * registry leaves as it came. Refuses with: release-unknown, release-not-logged, log-inconsistent, signing-key-retired.
   */
  exportRelease(
    actor: Principal,
    wish: { plugin: string; version: string },
  ): Promise<{ exported: ReleaseExport; archive: Buffer }>;
  /**
   * Takes a release of a registry that is trusted here; idempotent. What was yanked, deprecated or stopped there since is so here, too, and
   * never the other way round. Refuses with: import-untrusted, import-unproven, import-publisher-taken, import-stopped,
   * release-archive-invalid, release-manifest-invalid, release-version-taken, plugin-name-confusable, key-taken.
   */
  importRelease(
    actor: Principal,
    brought: { exported: ReleaseExport; archive: Buffer; dryRun?: boolean },
  ): Promise<ImportReport>;
}
