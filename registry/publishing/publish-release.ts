import type { DsseEnvelope, Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Registry, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import { pluginName } from '../rules/plugin-name.ts';
import {
  claimedKeyIds,
  isEnvelope,
  statementFault,
  type VerifyingKey,
  verifiedBy,
} from '../rules/release-signatures.ts';
import { checkListing, type ReadArchive, readArchive } from './read-archive.ts';
import type { ReleaseStore } from './release-store.ts';

export interface PublishReleasePorts {
  /** Runs `work` in one transaction. `lockKeys` gives the publisher's keys that are not revoked, and keeps them so. */
  transaction<Result>(
    work: (stores: {
      releases: ReleaseStore;
      lockKeys(organisationId: string): Promise<VerifyingKey[]>;
      audit: Audit;
      logEvent: LogInTransaction;
    }) => Promise<Result>,
  ): Promise<Result>;
  newId: () => string;
  /** What a release begins as; `scanning` where somebody scans. */
  firstState: 'scanning' | 'in-review';
}

/**
 * Checks everything that needs only the archive, then, in one transaction that other publishes of this plugin wait for:
 * signature, version, rows. The same bytes give the stored release, whatever their new envelope says.
 * Refuses with: release-archive-invalid, release-manifest-invalid, publisher-foreign, release-signature-invalid,
 * release-version-taken, plugin-name-confusable, dependency-unknown.
 */
export const publishRelease =
  (ports: PublishReleasePorts): Registry['publishRelease'] =>
  async (actor, { archive, envelope }) => {
    const read = await readArchive(archive);
    const { publisher, name, version } = read.manifest;
    if (actor.organisation.kind !== 'publisher' || publisher !== actor.organisation.slug) {
      throw new RegistryRefusal(
        'publisher-foreign',
        `The manifest names the publisher "${publisher}", but you publish as "${actor.organisation.slug}".`,
        { publisher },
      );
    }
    const only = actor.restrictions?.plugin;
    if (only !== undefined && only !== `${publisher}/${name}`) {
      throw new RegistryRefusal('token-restricted', `The token publishes ${only} only.`, { plugin: only });
    }
    checkListing(read);
    const organisationId = actor.organisation.id;
    return ports.transaction(async ({ releases, lockKeys, audit, logEvent }) => {
      // Before the keys, as whoever reviews and whoever reports a stolen key: none of them waits for one that waits for it.
      const pluginId = await releases.lockPlugin({ id: ports.newId(), organisationId, publisher, name });
      const signed = checkSignature(envelope, await lockKeys(organisationId), read);
      if (pluginId === null) throw looksAlike(`${publisher}/${name}`);
      const stored = await releases.findByVersion(pluginId, version);
      if (stored) return sameOrTaken(stored.release, read.digest);
      await requireKnown(releases, read.manifest);
      const { manifest, digest, bundleDigest, bundleBytes } = read;
      const id = ports.newId();
      await releases.insert({
        id,
        pluginId,
        version,
        state: ports.firstState,
        manifest,
        digest,
        bundleDigest,
        bundleBytes,
        envelope: signed,
        provenance: read.provenance,
        archive,
      });
      await audit({
        action: 'release.publish',
        actor,
        organisationId,
        subject: { kind: 'release', id },
        after: { plugin: `${publisher}/${name}`, version, digest, keyId: signed.signatures[0]!.keyid },
      });
      const keyId = signed.signatures[0]!.keyid;
      await logEvent({ event: 'release.publish', release: { publisher, name, version, digest }, keyId });
      return (await releases.findById(id))!.release;
    });
  };

/** The envelope reduced to one signature that is known to be good. */
function checkSignature(envelope: unknown, keys: VerifyingKey[], read: ReadArchive): DsseEnvelope {
  const refuse = (message: string, facts = {}): never => {
    throw new RegistryRefusal('release-signature-invalid', message, facts);
  };
  if (!isEnvelope(envelope)) return refuse('The envelope is not a DSSE envelope of a release; sign the archive again.');
  const claimed = claimedKeyIds(envelope);
  if (!keys.some(({ keyId }) => claimed.includes(keyId))) {
    return refuse('The archive is signed with a key that is not registered, has retired or is revoked.', {
      keyIds: claimed,
    });
  }
  const verified = verifiedBy(envelope, keys);
  if (verified === null) return refuse('The signature does not fit its key; sign the archive again.');
  const { publisher, name, version } = read.manifest;
  const fault = statementFault(verified.statement, { publisher, name, version, digest: read.digest });
  return fault === null ? verified.envelope : refuse(`The signature is for ${fault}.`);
}

/**
 * A name that nobody has yet could be taken by anybody, and would then be installed along with this plugin. Own names nobody else can
 * take, so plugins that require each other can be published one after the other.
 */
async function requireKnown(releases: ReleaseStore, { publisher, dependencies = [] }: Manifest): Promise<void> {
  const unknown: string[] = [];
  for (const { plugin } of dependencies) {
    const named = pluginName(plugin);
    if (named?.publisher === publisher) continue;
    if (named === null || (await releases.findByName(named)) === null) unknown.push(plugin);
  }
  if (unknown.length === 0) return;
  const message = `The manifest depends on ${unknown.join(', ')}, which nobody has published.`;
  throw new RegistryRefusal('dependency-unknown', message, { unknown });
}

const looksAlike = (plugin: string) =>
  new RegistryRefusal(
    'plugin-name-confusable',
    `Another plugin looks like ${plugin} at a glance (0 and o; 1, i and l; rn and m; with or without hyphens); choose another name.`,
    { plugin },
  );

function sameOrTaken(stored: Release, digest: string): Release {
  if (stored.digest === digest) return stored;
  throw new RegistryRefusal(
    'release-version-taken',
    `Version ${stored.version} of ${stored.plugin} was published before with other contents; raise the version.`,
    { plugin: stored.plugin, version: stored.version, digest: stored.digest },
  );
}
