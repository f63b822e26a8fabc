import { Type } from 'typebox';
import { LISTING_LOCALES, type Manifest, ManifestSchema } from '../../plugins-sdk/contract/index.ts';
import type { ListingDetails, Listings, Principal } from '../../registry/index.ts';
import { answer, type Route, route, viewerOf } from '../http/route.ts';
import type { ReleaseDiff } from '../rollouts/rules/compare-releases.ts';
import { Digest, nullable, oneOf, Slug, strict, Timestamp, Version } from './fields.ts';
import { Notice, Origin, Provenance } from './release-fields.ts';
import { DiffFields } from './rollouts.ts';

const Count = Type.Integer({ minimum: 0 });
const Picture = {
  address: Type.String({ description: 'Path on this host; changes with the bytes.' }),
  mediaType: Type.String(),
  width: nullable(Type.Integer({ description: 'In pixels; null for what has any size.' })),
  height: nullable(Type.Integer()),
};
const Text = (file: string) =>
  nullable(
    Type.Object({
      markdown: Type.String({ description: `${file} as its publisher wrote it.` }),
      html: Type.String({ description: 'Sanitised: it may stand in a page.' }),
    }),
  );
const Health = Type.Object(
  {
    verdict: oneOf(['good', 'fair', 'poor', 'unknown']),
    words: Type.String({ description: 'Why, with the threshold.' }),
    errorRate: nullable(Type.Number({ description: 'Of invocations of the last 30 days, 0 to 1.' })),
    p95Ms: nullable(Type.Number({ description: '95 of 100 answers take no longer.' })),
    speed: oneOf(['fast', 'moderate', 'slow', 'unknown']),
    suspendedShare: nullable(Type.Number({ description: 'Of its installations, 0 to 1.' })),
    updatedAt: nullable(Timestamp),
    activity: oneOf(['active', 'quiet', 'dormant', 'unknown']),
  },
  { title: 'PluginHealth' },
);
const Trust = Type.Object(
  {
    digest: Digest,
    publisherKey: Type.String({ description: 'SHA-256 of the key that its publisher signed it with.' }),
    countersigned: Type.Boolean({ description: 'The registry has signed it as well.' }),
    logPosition: nullable(Count),
    provenance: nullable(Provenance),
    origin: Origin,
    scan: nullable(
      Type.Object({
        verdict: Type.String(),
        at: Timestamp,
        findings: Type.Record(Type.String(), Count, { description: 'How many, by severity.' }),
      }),
    ),
    review: nullable(Type.Object({ at: Timestamp, rounds: Count, automatic: Type.Boolean() })),
  },
  { title: 'ReleaseTrust', description: 'What was done before somebody may install it.' },
);

const Listing = Type.Object(
  {
    plugin: Type.String(),
    version: Type.String(),
    latestVersion: nullable(Type.String()),
    title: Type.String(),
    description: Type.String(),
    locale: oneOf(LISTING_LOCALES),
    publisher: Type.Object({ slug: Type.String(), name: Type.String() }),
    category: Type.String(),
    categories: Type.Array(Type.String()),
    kind: oneOf(['plugin', 'game']),
    pricing: Type.Unsafe<NonNullable<Manifest['pricing']>>(ManifestSchema.properties.pricing),
    homepage: nullable(Type.String()),
    support: nullable(Type.String()),
    publishedAt: nullable(Timestamp),
    deprecated: Notice('It is installed still, with a warning.'),
    yanked: Notice('Set for good: it is not installed anew, and goes on where it runs.'),
    blocked: nullable(Type.Object({ at: Timestamp, reason: Type.String() })),
    icon: nullable(Type.Object(Picture)),
    screenshots: Type.Array(Type.Object({ ...Picture, caption: nullable(Type.String()) })),
    readme: Text('README.md'),
    changelog: Text('CHANGELOG.md'),
    reach: Type.Array(
      Type.Object({
        of: Type.Unsafe<ListingDetails['reach'][number]['of']>({ type: 'string' }),
        text: Type.String(),
        reason: nullable(Type.String({ description: 'Why, as its publisher says.' })),
        optional: Type.Boolean(),
      }),
      { description: 'What it may do once it is installed, in plain words.' },
    ),
    compatibility: Type.Object({
      engine: Type.String({ description: 'What the release asks for.' }),
      host: Type.String({ description: 'Version of this Gatehouse.' }),
      compatible: Type.Boolean(),
      why: Type.String(),
    }),
    trust: Trust,
    health: Health,
    versions: Type.Array(
      Type.Object({
        version: Type.String(),
        publishedAt: Timestamp,
        tags: Type.Array(Type.String()),
        deprecated: Type.Boolean(),
        yanked: Type.Boolean(),
        halted: Type.Boolean({ description: 'Its staging was stopped: it comes to nobody who did not ask for it.' }),
      }),
      { description: 'Newest first, at most 50.' },
    ),
    comparison: nullable(Type.Object(DiffFields, { description: 'With `against`: what changes from that version.' })),
  },
  { title: 'Listing' },
);

export interface ListingRoutePorts {
  listings: {
    /** As in the registry, with the comparison, and counted as a view. Refuses with: release-unknown. */
    read(
      viewer: Principal | null,
      wish: Parameters<Listings['details']>[1] & { against?: string },
      address: string,
    ): Promise<ListingDetails & { comparison: ReleaseDiff | null }>;
    image: Listings['image'];
  };
  /** Whether strangers read; then pictures may be kept by caches in between. */
  strangersRead?: boolean;
}

/** As files of strangers are served elsewhere: nothing in them runs, or loads anything. Inline styles are how pictures say colours. */
const PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

const consumer = 'Operators';
const PATH = '/v1/catalogue/:publisher/:name';

export const listingRoutes = ({ listings, strangersRead = false }: ListingRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: PATH,
    consumer,
    summary:
      'Everything about a plugin before it is installed: texts, pictures, what it may do, trust, health, versions.',
    allow: ['plugin:read'],
    strangers: true,
    params: Type.Object({ publisher: Slug, name: Slug }),
    query: Type.Object(
      {
        version: Type.Optional(Version),
        locale: Type.Optional(oneOf(LISTING_LOCALES, 'Default: `en`.')),
        against: Type.Optional(Version),
      },
      strict,
    ),
    reply: { 200: Listing },
    refuses: ['release-unknown'],
    handle: (request) => {
      const { publisher, name } = request.params;
      return listings.read(viewerOf(request), { ...request.query, plugin: `${publisher}/${name}` }, request.address);
    },
  }),
  route({
    method: 'GET',
    path: `${PATH}/assets/:digest`,
    consumer,
    summary: 'A picture of a listing, by the SHA-256 of its bytes. It never changes.',
    allow: ['plugin:read'],
    strangers: true,
    params: Type.Object({ publisher: Slug, name: Slug, digest: Digest }),
    reply: { 200: Type.Unsafe<string>({ type: 'string', format: 'binary', contentMediaType: 'image/*' }) },
    refuses: ['listing-image-unknown'],
    handle: async (request) => {
      const { publisher, name, digest } = request.params;
      const { mediaType, content } = await listings.image(`${publisher}/${name}`, digest);
      // Publishers see their own before anybody has reviewed it: what a cache kept of that would be shown to all.
      const isPublic = strangersRead && viewerOf(request) === null;
      return answer(content, {
        mediaType,
        headers: {
          'Cache-Control': `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable`,
          'Content-Security-Policy': PICTURE_POLICY,
          'Content-Disposition': 'inline',
          ETag: `"${digest}"`,
        },
      });
    },
  }),
];
