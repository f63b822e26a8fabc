import type { DsseEnvelope, Json, Manifest } from '../plugins-sdk/contract/index.ts';
import type { AuditOutcome } from './rules/audit-entry.ts';
import type { OrganisationKind, Permission, Role, TokenRole } from './rules/permissions.ts';
import { RELEASE_STATES, type ReleaseState } from './rules/release-states.ts';
import type { Weakness } from './rules/signing-strength.ts';
import type { Restrictions } from './rules/token-rights.ts';

/** Who acts for an organisation: a program by an API token, or a person by a session and one of their memberships. */
export interface Principal {
  via: 'token' | 'session';
  /** Of the API token or of the session. */
  credentialId: string;
  /** The token's label, or the person's username. */
  label: string;
  role: Role;
  organisation: Organisation;
  /** The person; null for a token of the organisation itself. */
  account: Account | null;
  /** When the session last confirmed a second factor, in milliseconds since 1970; null for never and for tokens. */
  factorAtMs: number | null;
  /** When the credential stops working, in milliseconds since 1970; absent where it never does. */
  expiresAtMs?: number;
  /** Absent for most; see `may`. */
  restrictions?: Restrictions;
}

export interface Account {
  id: string;
  username: string;
}

/** Somebody who has shown who they are, and may have a session. */
export interface ProvenAccount extends Account {
  /** How often all sessions of the account had been ended when the proof began: what ends them meanwhile ends the login, too. */
  sessionEpoch: number;
}

/** Who acts for themselves: a person by a session. Routes with `allow: 'account'` get one; API tokens never are one. */
export interface Person {
  account: Account;
  sessionId: string;
  /** When the session last confirmed a second factor, in milliseconds since 1970; null for never. */
  factorAtMs: number | null;
}

/** One organisation that a person may act for. */
export interface Membership {
  organisation: Organisation;
  role: Role;
}

/** A session that has neither ended nor been revoked, with what its person may act for now. */
export interface OpenSession {
  person: Person;
  memberships: readonly Membership[];
}

export interface Organisation {
  id: string;
  slug: string;
  kind: OrganisationKind;
  name: string;
}

/** An API token as it may be shown: never its secret, which is stored as a SHA-256 only. */
export interface ApiToken {
  id: string;
  organisation: string;
  role: TokenRole;
  label: string;
  /** The member who answers for it: it never does more than they may, and ends with their membership. Null: the organisation itself. */
  account: Account | null;
  /** All that is left of the role's permissions; null: all of them. */
  scopes: Permission[] | null;
  installationIds: string[] | null;
  plugin: string | null;
  addressRanges: string[] | null;
  createdAt: string;
  expiresAt: string | null;
  /** Up to some minutes late. */
  lastUsedAt: string | null;
  revokedAt: string | null;
  /** What took its place; it ends soon. */
  successorId: string | null;
}

/** What narrows a token beyond its role; absent members narrow nothing. */
export interface TokenNarrowing {
  scopes?: Permission[];
  /** For tokens of operators. */
  installationIds?: string[];
  /** `<publisher>/<name>`, for tokens of its publisher. */
  plugin?: string;
  /** Addresses and CIDR ranges. */
  addressRanges?: string[];
}

export interface PublisherKey {
  /** SHA-256 of the public key, lower-case hex: the `keyid` of signatures. */
  keyId: string;
  label: string;
  publicKeyPem: string;
  createdAt: string;
  revokedAt: string | null;
  /** Rotated: until then it signs beside its successor. */
  retiresAt: string | null;
  successorId: string | null;
  /** What the registry received from then on is blocked. */
  compromisedSince: string | null;
}

/** What is said of a release after it was published. */
export interface ReleaseNotice {
  at: string;
  reason: string;
  /** The version to take instead. */
  replacement: string | null;
}

/** Where a release was built, as its publisher signed it. */
export interface Provenance {
  /** Address of the source repository. */
  repository: string;
  /** Full id, lower-case hex. */
  commit: string;
  /** What built it: `gate 0.1.0`, the address of a CI run. */
  builder: string;
}

export { RELEASE_STATES, type ReleaseState, type Weakness };

/** One immutable version of a plugin. */
export interface Release {
  id: string;
  /** `<publisher>/<name>`. */
  plugin: string;
  version: string;
  state: ReleaseState;
  manifest: Manifest;
  /** SHA-256 of the uncompressed archive. */
  digest: string;
  /** SHA-256 of the bundle's code: what the sandbox knows it by. */
  bundleDigest: string;
  bundleBytes: number;
  /** The publisher's signature, and the registry's once it is published. */
  envelope: DsseEnvelope;
  /** Why it was rejected, or what its publisher is asked to change. */
  reasons: string[];
  createdAt: string;
  reviewedAt: string | null;
  /** Set for good: it is not installed anew, and goes on where it runs. */
  yanked: ReleaseNotice | null;
  /** It is installed still, with a warning. */
  deprecated: ReleaseNotice | null;
  /** It does not run anywhere any more. */
  blocked: { at: string; reason: string } | null;
  provenance: Provenance | null;
  /** Where it came from another registry: the key that was trusted then. */
  origin: { registryKeyId: string; importedAt: string } | null;
}

/** A version that may be installed. */
export interface PublishedVersion {
  /** `<publisher>/<name>`. */
  plugin: string;
  releaseId: string;
  version: string;
  /** Channels that point at it. */
  tags: string[];
  /** When it came out, in ISO 8601. */
  publishedAt: string;
  deprecated: ReleaseNotice | null;
}

/** One plugin of the catalogue with its newest published release. */
export interface PluginListing {
  plugin: string;
  title: string;
  description: string;
  category: string;
  kind: Manifest['kind'];
  latestVersion: string;
  capabilities: { name: string; reason: string }[];
  pricing: Manifest['pricing'] | null;
}

export interface Page<Item> {
  items: Item[];
  /** Pass as `cursor` to read on; null at the end. */
  nextCursor: string | null;
}

export interface PageRequest {
  cursor?: string;
  /** 1 to 100; default 50. */
  limit?: number;
}

/** Which entries of the audit trail. */
export interface AuditFilter {
  /** Slug; the platform's auditors only. */
  organisation?: string;
  /** `token.issue`, or `token.` for all of tokens. */
  action?: string;
  /** Id of a credential or of an account. */
  actor?: string;
  /** Id of what it was done to. */
  subject?: string;
  outcome?: AuditOutcome;
  /** ISO 8601; from is included, to is not. */
  from?: string;
  to?: string;
}

/** One entry of the audit trail, with its place in the chain. */
export interface AuditRecord {
  /** Without gaps over the whole platform. */
  sequence: number;
  id: string;
  at: string;
  action: string;
  outcome: AuditOutcome;
  organisationId: string | null;
  actor: { via: 'token' | 'session' | 'system' | 'anonymous' } & Record<string, string>;
  subject: { kind: string; id: string };
  before: Json;
  after: Json;
  /** Null where it came by no request, and where somebody of another organisation acted. */
  address: string | null;
  requestId: string | null;
  /** SHA-256, lower-case hex. */
  hash: string;
}

/** People, releases and signatures. Every refusal is a RegistryRefusal with a code of `registry/errors.ts`. */
export interface Registry {
  /** The owner of a token's secret, or null where it is malformed, unknown, expired or revoked. */
  authenticate(secret: string): Promise<Principal | null>;
  /** Idempotent by `id`. Refuses with: slug-taken, organisation-id-taken. */
  createOrganisation(
    command: {
      id: string;
      slug: string;
      kind: OrganisationKind;
      name: string;
    },
    maker?: Principal,
  ): Promise<Organisation>;
  findOrganisation(slug: string): Promise<Organisation | null>;
  /**
   * The secret is returned once and never again. An admin may issue for any organisation, others for their own.
   * A new token does no more than who issues it. Refuses with: organisation-unknown, organisation-foreign, role-not-allowed,
   * token-restricted, token-restriction-invalid.
   */
  issueToken(
    actor: Principal,
    command: { organisation: string; role: Role; label: string; expiresAt?: string } & TokenNarrowing,
  ): Promise<{ token: ApiToken; secret: string }>;
  listTokens(actor: Principal): Promise<ApiToken[]>;
  /** Idempotent. Refuses with: token-unknown. */
  revokeToken(actor: Principal, tokenId: string): Promise<ApiToken>;
  /**
   * A successor that does the same; the old token works beside it for `overlapSeconds`. A token may rotate itself.
   * Refuses with: token-unknown, token-rotated, role-not-allowed.
   */
  rotateToken(
    actor: Principal,
    tokenId: string,
    command: { overlapSeconds: number },
  ): Promise<{ token: ApiToken; secret: string }>;
  /** Makes the person who acts answer for a token. Refuses with: token-unknown, role-not-allowed. */
  adoptToken(actor: Principal, tokenId: string): Promise<ApiToken>;
  /** Writes when tokens were used, in milliseconds since 1970 by id. */
  markTokensUsed(uses: ReadonlyMap<string, number>): Promise<void>;

  /** Ed25519 only; idempotent by key. Refuses with: key-invalid, key-taken. */
  registerKey(actor: Principal, command: { publicKeyPem: string; label: string }): Promise<PublisherKey>;
  listKeys(actor: Principal): Promise<PublisherKey[]>;

  /**
   * Checks archive, manifest, digest and signature, then stores the release in review. Publishing the same bytes again
   * returns the stored release. Refuses with: release-archive-invalid, release-manifest-invalid, release-signature-invalid,
   * release-version-taken, publisher-foreign.
   */
  publishRelease(actor: Principal, command: { archive: Buffer; envelope: DsseEnvelope }): Promise<Release>;
  /**
   * Newest first. Publishers see their own releases in every state, moderators and admins all, others published ones.
   * Refuses with: cursor-invalid.
   */
  listReleases(
    actor: Principal,
    filter: PageRequest & { plugin?: string; state?: ReleaseState },
  ): Promise<Page<Release>>;
  /** Without a version: the newest published one. Refuses with: release-unknown. */
  findRelease(actor: Principal, name: { plugin: string; version?: string }): Promise<Release>;
  /**
   * The release that a version, a range (`^1.2`, `latest`), a channel (`beta`) or nothing (the newest) means now; `range` is null for a version and
   * for nothing. Refuses with: release-unknown, version-range-invalid, version-range-unsatisfied.
   */
  resolveRelease(
    actor: Principal,
    wish: { plugin: string; version?: string },
  ): Promise<{ release: Release; range: string | null }>;
  /** Every published version of these plugins but those whose staging was stopped, in no order. */
  publishedVersions(plugins: string[]): Promise<PublishedVersion[]>;
  /** In what a release is signed more weakly than an earlier one of the same plugin; empty for most. Refuses with: release-unknown. */
  compareSignings(fromReleaseId: string, toReleaseId: string): Promise<Weakness[]>;
  /** Countersigns and publishes; idempotent. Refuses with: release-unknown, release-state-invalid, release-signature-invalid. */
  approveRelease(actor: Principal, releaseId: string): Promise<Release>;
  /** Idempotent. Refuses with: release-unknown, release-state-invalid. */
  rejectRelease(actor: Principal, releaseId: string, reasons: string[]): Promise<Release>;
  /** By name. Refuses with: cursor-invalid. */
  listPlugins(filter: PageRequest & { search?: string }): Promise<Page<PluginListing>>;

  /** Newest first. Refuses with: cursor-invalid, organisation-foreign, organisation-unknown. */
  listAudit(actor: Principal, filter: PageRequest & AuditFilter): Promise<Page<AuditRecord>>;
  /** Newest first, read while it is consumed. Refuses with: organisation-foreign, organisation-unknown. */
  exportAudit(actor: Principal, filter: AuditFilter): Promise<AsyncGenerator<AuditRecord>>;

  /** A release for the host itself: no actor, any state. */
  releaseById(releaseId: string): Promise<Release | null>;
  /**
   * The code of a published (or since yanked) release, after its digest and both signatures have been verified once more.
   * Any release with this code will do, and its source map may be another publisher's; with `releaseId` it is that release.
   * Refuses with: release-unknown, release-signature-invalid.
   */
  loadBundle(bundleDigest: string, releaseId?: string): Promise<{ code: string; sourceMap: string | null }>;
}
