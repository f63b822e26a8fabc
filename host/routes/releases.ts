import { Type } from 'typebox';
import { ARCHIVE_BYTES_MAX, type Manifest, ManifestSchema } from '../../plugins-sdk/contract/index.ts';
import { RELEASE_STATES, type Registry } from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Id, nullable, oneOf, PluginName, page, pageFields, Slug, strict } from './fields.ts';
import { VersionWish } from './installation-fields.ts';
import { Envelope, Release } from './release-fields.ts';

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
    'publishRelease' | 'listReleases' | 'resolveRelease' | 'approveRelease' | 'rejectRelease' | 'listPlugins'
  >;
}

/** From the archive to the catalogue. */
export const releaseRoutes = (ports: ReleasePorts): Route[] => [...publishRoutes(ports), ...reviewRoutes(ports)];

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
      'dependency-unknown',
      'plugin-name-confusable',
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
    refuses: [
      'release-unknown',
      'release-state-invalid',
      'release-signature-invalid',
      'scan-running',
      'scan-unacknowledged',
      'review-assigned',
      'review-conflict',
      'review-checklist-open',
    ],
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
    refuses: ['release-unknown', 'release-state-invalid', 'review-assigned', 'review-conflict'],
    handle: ({ principal, params, body }) => registry.rejectRelease(principal, params.id, body.reasons),
  }),
];
