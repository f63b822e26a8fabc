import type { KeyObject } from 'node:crypto';
import { type CheckedExport, checkReleaseExport, type ReleaseStatement, readStatus } from '../../contract/index.ts';
import { readStatement } from '../transparency/verify-archive.ts';
import type { BundledRelease } from './bundle-file.ts';

export interface VerifiedRelease extends CheckedExport {
  /** What the archive says of itself, or where it cannot be read what the status says. */
  statement: ReleaseStatement;
}

/** Verifies every release of a bundle against the one key that is trusted, without a network. */
export const verifyBundle = (releases: readonly BundledRelease[], trustRoot: KeyObject): Promise<VerifiedRelease[]> =>
  Promise.all(
    releases.map(async ({ exported, archive }) => {
      const said = readStatus(exported.status)!.release;
      const found = await readStatement(archive).catch(() => null);
      if (found !== null) return { statement: found, ...checkReleaseExport({ found, archive }, exported, trustRoot) };
      const message = 'The archive does not unpack, or has no manifest.';
      const unread = { ...said, digest: '' };
      const checked = checkReleaseExport({ found: unread, archive }, exported, trustRoot);
      return {
        ...checked,
        statement: said,
        passed: false,
        steps: [...checked.steps, { step: 'archive-bytes' as const, passed: false, message }],
      };
    }),
  );
