import { type KeyObject, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { createAuditReaderStore } from './audit/audit-reader-store.ts';
import { auditRefusedLoad, auditRefusedPublish } from './audit/audit-signatures.ts';
import { type AuditPorts, createAuditIn } from './audit/audit-store.ts';
import { exportAudit, listAudit } from './audit/list-audit.ts';
import { listPlugins } from './catalog/list-plugins.ts';
import { createListingStore } from './catalog/listing-store.ts';
import { publishedVersions, resolveRelease } from './catalog/resolve-release.ts';
import { createVersionStore } from './catalog/version-store.ts';
import type { Registry } from './contract.ts';
import { authenticateSecret } from './identity/authenticate-secret.ts';
import { createOrganisation } from './identity/create-organisation.ts';
import { issueToken } from './identity/issue-token.ts';
import { listTokens } from './identity/list-tokens.ts';
import { createOrganisationStore } from './identity/organisation-store.ts';
import { revokeToken } from './identity/revoke-token.ts';
import { adoptToken, rotateToken } from './identity/rotate-token.ts';
import { createTokenStore } from './identity/token-store.ts';
import { createKeyChain } from './key-chain.ts';
import { blockReleasesIn, chooseLatestIn, createReleaseLife, lockPluginsIn } from './publishing/compose.ts';
import { findRelease, releaseById } from './publishing/find-release.ts';
import type { ReleaseLife } from './publishing/life-contract.ts';
import { listReleases } from './publishing/list-releases.ts';
import { loadBundle } from './publishing/load-bundle.ts';
import { publishRelease } from './publishing/publish-release.ts';
import { archiveFiles, readArchive } from './publishing/read-archive.ts';
import { ReleaseModel } from './publishing/release-model.ts';
import { createReleaseStore } from './publishing/release-store.ts';
import { approveRelease } from './review/approve-release.ts';
import { createReviews, type OpenReviewPorts, type ReviewFeatures, reviewPorts } from './review/compose.ts';
import type { Reviews } from './review/contract.ts';
import { rejectRelease } from './review/reject-release.ts';
import { compareSignings } from './signing/compare-signings.ts';
import { createKeyLife } from './signing/compose.ts';
import type { KeyLife } from './signing/contract.ts';
import { createKeyStore } from './signing/key-store.ts';
import { listKeys } from './signing/list-keys.ts';
import { registerKey } from './signing/register-key.ts';
import { createTransfers, type TransferPorts } from './transfer/compose.ts';
import type { Transfers } from './transfer/contract.ts';
import { createImportStore } from './transfer/import-store.ts';
import { stillProven } from './transfer/prove-import.ts';
import { createLogIn } from './transparency/log-event-store.ts';
import { createUploads } from './uploads/compose.ts';
import type { Uploads } from './uploads/contract.ts';

export interface RegistryPorts {
  /** For whoever acts: sees what the context of the request may see. */
  database: Knex;
  /** For the registry itself: finds out who somebody is, and what everybody's plugins stand on. */
  system: Knex;
  /** The registry's Ed25519 private key; see load-signing-key.ts. */
  signingKey: KeyObject;
  nowMs: () => number;
  /** A new UUIDv7. */
  newId: () => string;
  /** The request that is being answered; absent where there are none. */
  origin?: AuditPorts['origin'];
  /** Keys of other registries whose releases may be imported; none where absent. */
  trustRoots?: readonly KeyObject[];
  /** Whether releases are scanned before anybody reviews them; somebody has to do that. */
  scans?: boolean;
}

/** The registry over one database: the only place where its features meet. */
export function createRegistry(ports: RegistryPorts): Registry {
  const { database, system, signingKey, nowMs, newId, origin = () => null } = ports;
  const firstState = ports.scans ? 'scanning' : 'in-review';
  const auditIn = createAuditIn({ nowMs, newId, origin });
  const logIn = createLogIn({ nowMs, newId });
  /** A use case whose every call is one transaction. */
  const inTransaction =
    <Args extends unknown[], Result>(make: (transaction: Knex) => (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      database.transaction((transaction) => make(transaction)(...args));
  const organisations = createOrganisationStore(database);
  const tokens = createTokenStore(database);
  const keys = createKeyStore(database);
  const releases = createReleaseStore(database);
  const listings = createListingStore(database);
  const ofEverybody = {
    organisations: createOrganisationStore(system),
    tokens: createTokenStore(system),
    keys: createKeyStore(system),
    releases: createReleaseStore(system),
    versions: createVersionStore(system),
  };
  const review = reviewPorts({ database, system, signingKey, featuresIn: reviewFeatures, auditIn, logIn, nowMs });
  const auditPorts = { store: createAuditReaderStore(database), findOrganisation: organisations.findBySlug };
  return {
    listAudit: listAudit(auditPorts),
    exportAudit: exportAudit(auditPorts),
    authenticate: authenticateSecret({ tokens: ofEverybody.tokens, nowMs }),
    createOrganisation: inTransaction((transaction) =>
      createOrganisation({ organisations: createOrganisationStore(transaction), audit: auditIn(transaction) }),
    ),
    findOrganisation: ofEverybody.organisations.findBySlug,
    issueToken: inTransaction((transaction) =>
      issueToken({
        organisations: createOrganisationStore(transaction),
        tokens: createTokenStore(transaction),
        audit: auditIn(transaction),
        newId,
        randomBytes,
      }),
    ),
    listTokens: listTokens({ tokens }),
    revokeToken: inTransaction((transaction) =>
      revokeToken({ tokens: createTokenStore(transaction), audit: auditIn(transaction), nowMs }),
    ),
    rotateToken: inTransaction((transaction) =>
      rotateToken({
        organisations: createOrganisationStore(transaction),
        tokens: createTokenStore(transaction),
        audit: auditIn(transaction),
        newId,
        randomBytes,
        nowMs,
      }),
    ),
    adoptToken: inTransaction((transaction) =>
      adoptToken({ tokens: createTokenStore(transaction), audit: auditIn(transaction) }),
    ),
    markTokensUsed: ofEverybody.tokens.markUsed,
    registerKey: inTransaction((transaction) =>
      registerKey({
        keys: createKeyStore(transaction),
        audit: auditIn(transaction),
        logEvent: logIn(transaction),
        newId,
      }),
    ),
    listKeys: listKeys({ keys }),
    publishRelease: auditRefusedPublish(
      auditIn(database),
      publishRelease({
        transaction: (work) =>
          database.transaction((transaction) =>
            work({
              releases: createReleaseStore(transaction),
              lockKeys: createKeyStore(transaction).lockActive,
              audit: auditIn(transaction),
              logEvent: logIn(transaction),
            }),
          ),
        newId,
        firstState,
      }),
    ),
    listReleases: listReleases({ releases }),
    findRelease: findRelease({ releases }),
    resolveRelease: resolveRelease({
      versions: ofEverybody.versions,
      findRelease: findRelease({ releases }),
      releaseById: releaseById({ releases }),
      releaseByVersion: async (name) => (await releases.findByName(name))?.release ?? null,
    }),
    publishedVersions: publishedVersions(ofEverybody),
    compareSignings: compareSignings({ releases: ofEverybody.releases, keysOf: ofEverybody.keys.list }),
    approveRelease: approveRelease(review),
    rejectRelease: rejectRelease(review),
    listPlugins: listPlugins({ listings }),
    releaseById: releaseById(ofEverybody),
    loadBundle: auditRefusedLoad(
      auditIn(system),
      loadBundle({
        releases: ofEverybody.releases,
        keysAt: ofEverybody.keys.listAt,
        registryKeys: createKeyChain({ database: system, signingKey }).keys,
        stillProven: stillProven(ports.trustRoots ?? [], createImportStore(system).evidenceOf),
      }),
    ),
  };
}

/** What becomes of releases and keys after they were published and registered. */
export function createPublishing({ publishRelease, ...ports }: RegistryPorts & Pick<Registry, 'publishRelease'>): {
  releaseLife: ReleaseLife;
  keyLife: KeyLife;
  uploads: Uploads;
} {
  const { database, nowMs, newId, origin = () => null } = ports;
  const auditIn = createAuditIn({ nowMs, newId, origin });
  const logIn = createLogIn({ nowMs, newId });
  return {
    uploads: createUploads({ database, publishRelease, nowMs }),
    releaseLife: createReleaseLife({ database, auditIn, logIn, nowMs, newId }),
    keyLife: createKeyLife({
      database,
      auditIn,
      logIn,
      registerKeyIn: (transaction) =>
        registerKey({
          keys: createKeyStore(transaction),
          audit: auditIn(transaction),
          logEvent: logIn(transaction),
          newId,
        }),
      lockPluginsIn,
      blockReleasesIn,
      nowMs,
    }),
  };
}

/** How releases are judged and taken down. */
export function createReviewing(ports: RegistryPorts & { findingsOf?: OpenReviewPorts['findingsOf'] }): Reviews {
  const { nowMs, newId, origin = () => null, findingsOf = async () => null } = ports;
  const auditIn = createAuditIn({ nowMs, newId, origin });
  return createReviews({
    ...ports,
    featuresIn: reviewFeatures,
    auditIn,
    logIn: createLogIn({ nowMs, newId }),
    findingsOf,
  });
}

/** Releases that go to other registries, and come from them. */
export function createTransferring(ports: RegistryPorts & Pick<TransferPorts, 'transparency'>): Transfers {
  const { system, nowMs, newId, origin = () => null, trustRoots = [] } = ports;
  const auditIn = createAuditIn({ nowMs, newId, origin });
  const logIn = createLogIn({ nowMs, newId });
  const releases = createReleaseStore(system);
  return createTransfers({
    ...ports,
    trustRoots,
    readArchive,
    releases,
    findKey: createKeyStore(system).find,
    publisherName: async (id) => (await createOrganisationStore(system).findById(id))!.name,
    storesIn: (transaction) => ({
      releases: createReleaseStore(transaction),
      organisations: createOrganisationStore(transaction),
      keys: createKeyStore(transaction),
      lockPlugins: lockPluginsIn(transaction),
      blockReleases: blockReleasesIn(transaction),
      chooseLatest: chooseLatestIn(transaction),
      audit: auditIn(transaction),
      logEvent: logIn(transaction),
    }),
  });
}

function reviewFeatures(knex: Knex): ReviewFeatures {
  const releases = createReleaseStore(knex);
  const keys = createKeyStore(knex);
  return {
    findRelease: releases.findById,
    async lockRelease(releaseId) {
      const found = await releases.findById(releaseId);
      if (found === null) return null;
      const { pluginId: id, publisherId: organisationId, publisherSlug: publisher, pluginName: name } = found;
      await releases.lockPlugin({ id, organisationId, publisher, name });
      // Read again: what was true before the lock may not be true under it.
      return releases.findById(releaseId);
    },
    lockKeys: keys.lockUnrevoked,
    keysAt: keys.listAt,
    async saveState(releaseId, change) {
      await ReleaseModel.query(knex).findById(releaseId).patch(change);
    },
    filesOf: async (releaseId) => archiveFiles(await releases.archiveOf(releaseId)),
    chooseLatest: chooseLatestIn(knex),
    findOrganisation: createOrganisationStore(knex).findBySlug,
  };
}
