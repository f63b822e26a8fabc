import type { KeyObject } from 'node:crypto';
import {
  type DsseEnvelope,
  type ReleaseExport,
  type ReleaseStatus,
  readStatus,
  signRelease,
} from '../../plugins-sdk/contract/index.ts';
import type { Organisation, Principal, PublisherKey, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { type KeyTimes, keyCovers } from '../rules/key-validity.ts';
import type { LogInTransaction, PublicReleaseEvent } from '../rules/log-event.ts';
import { storedText } from '../rules/stored-text.ts';
import type { ImportReport, Transfers } from './contract.ts';
import type { ImportStore, NewImport } from './import-store.ts';
import { type ProvenImport, proveImport } from './prove-import.ts';
import { stopsOf } from './stops.ts';

/** A release archive after every check that needs nothing but itself. */
export interface ReadRelease
  extends Pick<NewImport, 'manifest' | 'digest' | 'bundleDigest' | 'bundleBytes' | 'provenance'> {}

export interface ImportStores {
  imports: ImportStore;
  releases: {
    /** Null where another one looks the same. */
    lockPlugin(plugin: { id: string; organisationId: string; publisher: string; name: string }): Promise<string | null>;
    findByVersion(pluginId: string, version: string): Promise<{ release: Release } | null>;
    insertImported(release: NewImport, archive: Buffer): Promise<void>;
    saveNotice(
      releaseId: string,
      change: Partial<Pick<Release, 'state' | 'yanked' | 'deprecated' | 'blocked'>>,
    ): Promise<void>;
  };
  organisations: {
    findBySlug(slug: string): Promise<Organisation | null>;
    /** Null where the slug is taken. */
    insert(organisation: Organisation): Promise<Organisation | null>;
  };
  keys: {
    /** False where it is registered, by whomever. */
    insert(key: {
      id: string;
      organisationId: string;
      keyId: string;
      label: string;
      publicKeyPem: string;
    }): Promise<boolean>;
    /** The key, kept as it is until the end of the transaction. */
    lock(keyId: string): Promise<(PublisherKey & { organisationId: string }) | null>;
    find(keyId: string): Promise<PublisherKey | null>;
    save(keyId: string, change: { revokedAt?: Date; retiresAt?: Date; compromisedSince?: Date }): Promise<void>;
  };
  /** Of a publisher; everybody locks plugins before keys, and keys before releases. */
  lockPlugins(organisationId: string): Promise<void>;
  /** Blocks what came from then on under this key; ids of what was not blocked yet. */
  blockReleases(organisationId: string, key: { keyId: string; since: Date }, at: string): Promise<string[]>;
  chooseLatest(pluginId: string): Promise<void>;
  audit: Audit;
  logEvent: LogInTransaction;
}

export interface ImportPorts {
  transaction<Result>(work: (stores: ImportStores) => Promise<Result>): Promise<Result>;
  /** Refuses with: release-archive-invalid, release-manifest-invalid. */
  readArchive(archive: Buffer): Promise<ReadRelease>;
  trustRoots: readonly KeyObject[];
  /** The key of this registry, which countersigns what it takes. */
  signingKey: KeyObject;
  newId: () => string;
  nowMs: () => number;
}

interface Brought {
  actor: Principal;
  read: ReadRelease;
  archive: Buffer;
  exported: ReleaseExport;
  proven: ProvenImport;
}

type Taken = Pick<ImportReport, 'outcome' | 'event' | 'release'>;

/** Ends a transaction whose work is only looked at. */
class DryRun extends Error {
  readonly result: Taken;
  constructor(result: DryRun['result']) {
    super('dry run');
    this.result = result;
  }
}

export const importRelease =
  (ports: ImportPorts): Transfers['importRelease'] =>
  async (actor, { exported, archive, dryRun = false }) => {
    if (ports.trustRoots.length === 0) throw new RegistryRefusal('import-untrusted');
    const read = await ports.readArchive(archive);
    const { publisher, name, version } = read.manifest;
    const found = { publisher, name, version, digest: read.digest };
    const proven = proveImport({ found, archive, exported }, ports.trustRoots, ports.nowMs());
    const brought = { actor, read, archive, exported, proven };
    const result = await ports
      .transaction(async (stores) => {
        const done = await takeIn(ports, stores, brought);
        if (dryRun) throw new DryRun(done);
        return done;
      })
      .catch((error: unknown) => {
        if (error instanceof DryRun) return error.result;
        throw error;
      });
    return { ...result, steps: proven.checked.steps, dryRun };
  };

async function takeIn(ports: ImportPorts, stores: ImportStores, brought: Brought): Promise<Taken> {
  const { manifest, digest } = brought.read;
  const { publisher, name, version } = manifest;
  const { status } = brought.proven;
  const organisationId = await takePublisher(ports, stores, brought);
  await stores.lockPlugins(organisationId);
  const pluginId = await stores.releases.lockPlugin({ id: ports.newId(), organisationId, publisher, name });
  const plugin = `${publisher}/${name}`;
  if (pluginId === null) {
    const message = `Another plugin looks like ${plugin} at a glance, so this one is not taken.`;
    throw new RegistryRefusal('plugin-name-confusable', message, { plugin });
  }
  const key = await takeKey(ports, stores, brought, organisationId);
  const stored = await stores.releases.findByVersion(pluginId, version);
  if (stored !== null && stored.release.digest !== digest) {
    const message = `Version ${version} of ${plugin} is here with other contents; nothing was changed.`;
    throw new RegistryRefusal('release-version-taken', message, { plugin, version, digest: stored.release.digest });
  }
  const event =
    stored === null
      ? await takeNew(ports, stores, brought, pluginId, key)
      : await refresh(stores, brought, stored.release, pluginId);
  const outcome = event === null ? 'unchanged' : event === 'release.import' ? 'imported' : 'updated';
  const release = (await stores.releases.findByVersion(pluginId, version))!.release;
  await stores.audit({
    action: 'release.import',
    actor: brought.actor,
    organisationId,
    subject: { kind: 'release', id: release.id },
    after: {
      ...{
        plugin,
        version,
        digest,
        rootKeyId: brought.proven.rootKeyId,
        exportedAt: status.exportedAt,
        outcome,
        event,
      },
      ...(event !== null && reasonsOf(release)[event]),
    },
    outcome: outcome === 'unchanged' ? 'unchanged' : 'done',
  });
  return { outcome, event, release };
}

const reasonsOf = ({ deprecated, yanked, blocked }: Release): Partial<Record<PublicReleaseEvent, object | null>> => ({
  'release.deprecate': deprecated && { reason: deprecated.reason, replacement: deprecated.replacement },
  'release.yank': yanked && { reason: yanked.reason, replacement: yanked.replacement },
  'release.takedown': blocked && { reason: blocked.reason },
});

/** A publisher of the other registry; never one of this one that has the same name. Refuses with: import-publisher-taken. */
async function takePublisher(ports: ImportPorts, stores: ImportStores, { read, proven }: Brought): Promise<string> {
  const slug = read.manifest.publisher;
  const present = await stores.organisations.findBySlug(slug);
  if (present === null) {
    const organisation = { id: ports.newId(), slug, kind: 'publisher' as const };
    const name = storedText(proven.status.publisherName).slice(0, 200) || slug;
    const made = await stores.organisations.insert({ ...organisation, name });
    if (made !== null) {
      await stores.imports.addPublisher(organisation.id, proven.rootKeyId);
      return organisation.id;
    }
  }
  const organisation = present ?? (await stores.organisations.findBySlug(slug))!;
  const rootKeyId = await stores.imports.rootOf(organisation.id);
  if (rootKeyId !== null && proven.keys.some(({ keyId }) => keyId === rootKeyId)) return organisation.id;
  const message =
    rootKeyId === null
      ? `"${slug}" is an organisation of this Gatehouse; releases of another registry are not taken under its name.`
      : `"${slug}" came from another registry than this release.`;
  throw new RegistryRefusal('import-publisher-taken', message, { publisher: slug });
}

/** The key by all that is known of it, here and there; what came since it was stolen is blocked. Refuses with: key-taken. */
async function takeKey(
  ports: ImportPorts,
  stores: ImportStores,
  brought: Brought,
  organisationId: string,
): Promise<KeyTimes> {
  const { publisherKey } = brought.proven.status;
  const { keyId } = publisherKey;
  const { publicKeyPem } = brought.exported.proof.publisherKey;
  const label = storedText(publisherKey.label).slice(0, 200) || 'imported';
  const inserted = await stores.keys.insert({ id: ports.newId(), organisationId, keyId, label, publicKeyPem });
  const stored = await stores.keys.lock(keyId);
  if (stored?.organisationId !== organisationId) throw new RegistryRefusal('key-taken', undefined, { keyId });
  const { publisher } = brought.read.manifest;
  if (inserted) await stores.logEvent({ event: 'key.register', publisher, keyId });
  // Times only become earlier: an old export does not bring a key back.
  const earlier = (said: string | null, known: string | null) =>
    said !== null && (known === null || Date.parse(said) < Date.parse(known)) ? new Date(said) : undefined;
  const revokedAt = earlier(publisherKey.revokedAt ?? publisherKey.compromisedSince, stored.revokedAt);
  const retiresAt = earlier(publisherKey.retiresAt, stored.retiresAt);
  const compromisedSince = earlier(publisherKey.compromisedSince, stored.compromisedSince);
  if (!revokedAt && !retiresAt && !compromisedSince) return stored;
  await stores.keys.save(keyId, {
    ...(revokedAt && { revokedAt }),
    ...(retiresAt && { retiresAt }),
    ...(compromisedSince && { compromisedSince }),
  });
  if (revokedAt ?? compromisedSince) {
    const told = compromisedSince && { compromisedSince: compromisedSince.toISOString() };
    await stores.logEvent({ event: 'key.revoke', publisher, keyId, ...told });
  }
  if (compromisedSince) {
    const at = new Date(ports.nowMs()).toISOString();
    await stores.blockReleases(organisationId, { keyId, since: compromisedSince }, at);
  }
  return (await stores.keys.find(keyId))!;
}

/** Refuses with: import-stopped. */
async function takeNew(
  ports: ImportPorts,
  stores: ImportStores,
  { read, archive, exported, proven }: Brought,
  pluginId: string,
  key: KeyTimes,
): Promise<PublicReleaseEvent> {
  const { status, rootKeyId } = proven;
  requireGood(status, key);
  const { manifest, digest, bundleDigest, bundleBytes, provenance } = read;
  const statement = { publisher: manifest.publisher, name: manifest.name, version: manifest.version, digest };
  const id = ports.newId();
  await stores.releases.insertImported(
    {
      id,
      pluginId,
      version: manifest.version,
      state: status.state,
      manifest,
      digest,
      bundleDigest,
      bundleBytes,
      envelope: signRelease(statement, ports.signingKey, publisherFirst(exported.proof.envelope, status)),
      provenance,
      deprecated: status.deprecated,
      origin: { registryKeyId: rootKeyId, importedAt: new Date(ports.nowMs()).toISOString() },
      // As the other registry received it: by this time it is decided which keys were good.
      createdAt: new Date(status.createdAt),
      reviewedAt: new Date(status.reviewedAt),
    },
    archive,
  );
  await stores.imports.addEvidence(id, rootKeyId, exported);
  await stores.chooseLatest(pluginId);
  const event = 'release.import';
  await stores.logEvent({ event, release: statement });
  return event;
}

/** What was stopped elsewhere does not begin here. Refuses with: import-stopped. */
function requireGood({ state, yanked, blocked, createdAt }: ReleaseStatus, key: KeyTimes): void {
  const refuse = (why: string): never => {
    throw new RegistryRefusal('import-stopped', `${why}, so it is not taken.`, { state });
  };
  if (blocked !== null || state === 'suspended') refuse(`Its registry has stopped the release (${blocked?.reason})`);
  if (state === 'yanked' || yanked !== null) refuse(`The release was yanked (${yanked?.reason})`);
  if (!keyCovers(key, Date.parse(createdAt))) {
    refuse('The key that signed the release had ended when its registry received it');
  }
}

const publisherFirst = (envelope: DsseEnvelope, { publisherKey }: ReleaseStatus): DsseEnvelope => {
  const isTheirs = ({ keyid }: { keyid: string }) => keyid === publisherKey.keyId;
  const { signatures, ...rest } = envelope;
  return { ...rest, signatures: [...signatures.filter(isTheirs), ...signatures.filter((each) => !isTheirs(each))] };
};

/** What its registry has said of it since. An export that is older than the one that came last says nothing. */
async function refresh(
  stores: ImportStores,
  { exported, proven }: Brought,
  release: Release,
  pluginId: string,
): Promise<PublicReleaseEvent | null> {
  const before = await stores.imports.evidenceOf(release.id);
  const known = before === null ? null : readStatus(before.status);
  // Published here as well, by a publisher that is from elsewhere: that cannot be.
  if (known === null) throw new RegistryRefusal('import-publisher-taken');
  if (Date.parse(known.exportedAt) >= Date.parse(proven.status.exportedAt)) return null;
  await stores.imports.saveEvidence(release.id, exported);
  const { change, event } = stopsOf(release, proven.status);
  if (event === null) return null;
  await stores.releases.saveNotice(release.id, change);
  await stores.chooseLatest(pluginId);
  await stores.logEvent({ event, release: proven.status.release });
  return event;
}
