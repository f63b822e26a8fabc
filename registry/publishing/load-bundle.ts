import type { RegistryKeys, ReleaseStatement } from '../../plugins-sdk/contract/index.ts';
import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isCountersigned, type VerifyingKey } from '../rules/release-signatures.ts';
import { type ReadArchive, readArchive } from './read-archive.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';

export interface LoadBundlePorts {
  releases: ReleaseStore;
  /** The publisher's keys that spoke for it in what was received then. */
  keysAt(organisationId: string, receivedAtMs: number): Promise<VerifyingKey[]>;
  /** The registry's own, with those before it. */
  registryKeys(): Promise<RegistryKeys>;
  /** Whether a release of another registry is proven still by one that is trusted here. */
  stillProven(releaseId: string, found: ReleaseStatement, archive: Buffer): Promise<boolean>;
}

/**
 * The code itself is taken from the archive that both signatures cover, so whoever can write to the database still
 * cannot make a host run anything that was not signed twice. Several releases may hold the same code; one good one is enough.
 * Refuses with: release-unknown, release-signature-invalid.
 */
export const loadBundle =
  (ports: LoadBundlePorts): Registry['loadBundle'] =>
  async (bundleDigest, releaseId) => {
    const candidates = /^[0-9a-f]{64}$/.test(bundleDigest)
      ? await ports.releases.listByBundle(bundleDigest, releaseId)
      : [];
    if (candidates.length === 0) throw new RegistryRefusal('release-unknown', undefined, { bundleDigest });
    for (const candidate of candidates) {
      const read = await verifiedArchive(ports, candidate, bundleDigest);
      if (read !== null) return { code: read.code, sourceMap: read.sourceMap };
    }
    throw new RegistryRefusal(
      'release-signature-invalid',
      'The stored release does not carry valid signatures of its publisher and of the registry; it will not be run.',
      { bundleDigest, plugin: candidates[0]?.release.plugin, version: candidates[0]?.release.version },
    );
  };

/** Null where anything on the way from the signatures to the code does not fit. */
async function verifiedArchive(
  ports: LoadBundlePorts,
  { release, publisherId, publisherSlug, pluginName }: StoredRelease,
  bundleDigest: string,
): Promise<ReadArchive | null> {
  const archive = await ports.releases.archiveOf(release.id);
  const read = await readArchive(archive).catch((error) => {
    if (error instanceof RegistryRefusal) return null;
    throw error;
  });
  if (read?.bundleDigest !== bundleDigest) return null;
  const keys = {
    publisher: await ports.keysAt(publisherId, Date.parse(release.createdAt)),
    registry: await ports.registryKeys(),
  };
  const found = { publisher: publisherSlug, name: pluginName, version: release.version, digest: read.digest };
  if (!isCountersigned(release.envelope, keys, found)) return null;
  if (release.origin !== null && !(await ports.stillProven(release.id, found, archive))) return null;
  return read;
}
