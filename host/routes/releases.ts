import { Type } from 'typebox';
import { ARCHIVE_BYTES_MAX, type Manifest, ManifestSchema } from '../../plugins-sdk/contract/index.ts';
import { RELEASE_STATES, type Registry } from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Digest, Id, Label, nullable, oneOf, PluginName, page, pageFields, Slug, strict, Timestamp } from './fields.ts';
import { VersionWish } from './installation-fields.ts';

const KeyId = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the public key (SPKI, DER).' });
const PublisherKey = Type.Object(
  {
    keyId: KeyId,
    label: Type.String(),
    publicKeyPem: Type.String(),
    createdAt: Timestamp,
    revokedAt: nullable(Timestamp),
  },
  { title: 'PublisherKey' },
);

const Envelope = Type.Object(
  {
    payloadType: Type.String({ maxLength: 128 }),
    payload: Type.String({ maxLength: 8_192, pattern: '^[A-Za-z0-9+/]+={0,2}$', description: 'Base64.' }),
    signatures: Type.Array(
      Type.Object({ keyid: KeyId, sig: Type.String({ maxLength: 512, pattern: '^[A-Za-z0-9+/]+={0,2}$' }) }, strict),
      { minItems: 1, maxItems: 16 },
    ),
  },
  { ...strict, title: 'DsseEnvelope' },
);

const Release = Type.Object(
  {
    id: Id,
    plugin: Type.String(),
    version: Type.String(),
    state: oneOf(RELEASE_STATES),
    manifest: Type.Unsafe<Manifest>({ ...ManifestSchema, title: 'Manifest' }),
    digest: Digest,
    bundleDigest: Digest,
    bundleBytes: Type.Integer(),
    envelope: Envelope,
    reasons: Type.Array(Type.String()),
    createdAt: Timestamp,
    reviewedAt: nullable(Timestamp),
  },
  { title: 'Release' },
);

const PluginListing = Type.Object(
  {
    plugin: Type.String(),
    title: Type.String(),
    description: Type.String(),
    category: Type.String(),
    kind: oneOf(['plugin', 'game']),
    latestVersion: Type.String(),
    capabilities: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() })),
    pricing: Type.Optional(nullable(Type.Unsafe<NonNullable<Manifest['pricing']>>(ManifestSchema.properties.pricing))),
  },
  { title: 'PluginListing' },
);

const Publish = Type.Object(
  {
    archive: Type.String({
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      maxLength: Math.ceil(ARCHIVE_BYTES_MAX / 3) * 4,
      description: 'The release archive (gzipped tar) in base64.',
    }),
    envelope: Envelope,
  },
  { ...strict, title: 'NewRelease' },
);
const PUBLISH_BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface ReleasePorts {
  registry: Pick<
    Registry,
    | 'registerKey'
    | 'listKeys'
    | 'publishRelease'
    | 'listReleases'
    | 'resolveRelease'
    | 'approveRelease'
    | 'rejectRelease'
    | 'listPlugins'
  >;
}

/** From a publisher's key to the catalogue. */
export const releaseRoutes = (ports: ReleasePorts): Route[] => [
  ...keyRoutes(ports),
  ...publishRoutes(ports),
  ...reviewRoutes(ports),
];

const keyRoutes = ({ registry }: ReleasePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/keys',
    consumer: 'Publishers',
    summary: 'Register an Ed25519 public key that signs releases. Safe to repeat.',
    allow: ['key:register'],
    stepUp: true,
    body: Type.Object(
      { publicKeyPem: Type.String({ minLength: 1, maxLength: 2_048, description: 'SPKI in PEM form.' }), label: Label },
      { ...strict, title: 'NewPublisherKey' },
    ),
    reply: { 201: PublisherKey },
    refuses: ['key-invalid', 'key-taken'],
    handle: ({ principal, body }) => registry.registerKey(principal, body),
  }),
  route({
    method: 'GET',
    path: '/v1/keys',
    consumer: 'Publishers',
    summary: "List the publisher's keys.",
    allow: ['key:read'],
    reply: {
      200: Type.Object({ items: Type.Array(PublisherKey), nextCursor: Type.Null() }, { title: 'PublisherKeys' }),
    },
    refuses: [],
    handle: async ({ principal }) => ({ items: await registry.listKeys(principal), nextCursor: null }),
  }),
];

const publishRoutes = ({ registry }: ReleasePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/releases',
    consumer: 'Publishers',
    summary: 'Publish a signed release. Safe to repeat: the same bytes give the same release.',
    allow: ['release:publish'],
    stepUp: true,
    body: Publish,
    bodyBytesMax: PUBLISH_BODY_BYTES_MAX,
    reply: { 201: Release },
    refuses: [
      'release-archive-invalid',
      'release-manifest-invalid',
      'release-signature-invalid',
      'release-version-taken',
      'publisher-foreign',
    ],
    handle: async ({ principal, body: { archive, envelope } }) => {
      const release = await registry.publishRelease(principal, { archive: Buffer.from(archive, 'base64'), envelope });
      return answer(release, { headers: { Location: `/v1/releases/${release.plugin}/${release.version}` } });
    },
  }),
  route({
    method: 'GET',
    path: '/v1/releases',
    consumer: 'Publishers',
    summary: 'List releases, newest first: own ones in every state, those of others once published.',
    allow: ['release:read', 'plugin:read'],
    query: Type.Object(
      { ...pageFields, plugin: Type.Optional(PluginName), state: Type.Optional(oneOf(RELEASE_STATES)) },
      strict,
    ),
    reply: { 200: page(Release, 'Releases') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, query }) => registry.listReleases(principal, query),
  }),
  route({
    method: 'GET',
    path: '/v1/releases/:publisher/:name/:version',
    consumer: 'Publishers',
    summary: 'Read one release: by its version, or the newest published one of a range (`latest` stands for all).',
    allow: ['release:read', 'plugin:read'],
    params: Type.Object({ publisher: Slug, name: Slug, version: VersionWish }),
    reply: { 200: Release },
    refuses: ['release-unknown', 'version-range-invalid', 'version-range-unsatisfied'],
    handle: async ({ principal, params: { publisher, name, version } }) =>
      (await registry.resolveRelease(principal, { plugin: `${publisher}/${name}`, version })).release,
  }),
  route({
    method: 'GET',
    path: '/v1/plugins',
    consumer: 'Operators',
    summary: 'The catalogue: plugins with their newest published release, by name.',
    allow: ['plugin:read'],
    query: Type.Object(
      {
        ...pageFields,
        search: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })),
      },
      strict,
    ),
    reply: { 200: page(PluginListing, 'Plugins') },
    refuses: ['cursor-invalid'],
    handle: ({ query }) => registry.listPlugins(query),
  }),
];

const reviewRoutes = ({ registry }: ReleasePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/releases/:id/approval',
    consumer: 'Platform',
    summary: 'Countersign a release and publish it. Safe to repeat.',
    allow: ['release:review'],
    stepUp: true,
    params: Type.Object({ id: Id }),
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'release-signature-invalid'],
    handle: ({ principal, params }) => registry.approveRelease(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/rejection',
    consumer: 'Platform',
    summary: 'Reject a release, with reasons that its publisher reads. Safe to repeat.',
    allow: ['release:review'],
    params: Type.Object({ id: Id }),
    body: Type.Object(
      { reasons: Type.Array(Type.String({ minLength: 1, maxLength: 1_000 }), { minItems: 1, maxItems: 20 }) },
      { ...strict, title: 'Rejection' },
    ),
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid'],
    handle: ({ principal, params, body }) => registry.rejectRelease(principal, params.id, body.reasons),
  }),
];
