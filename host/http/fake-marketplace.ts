import type { ListingDetails } from '../../registry/index.ts';
import type { CataloguePorts } from '../routes/catalogue.ts';
import type { ListingRoutePorts } from '../routes/listing.ts';
import type { RatingRoutePorts } from '../routes/ratings.ts';
import type { StatisticsRoutePorts } from '../routes/statistics.ts';

const AT = '2026-01-02T03:04:05.678Z';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

const LISTING: ListingDetails = {
  plugin: 'acme/hello',
  version: '1.0.0',
  latestVersion: '1.0.0',
  title: 'Hello',
  description: 'Says hello.',
  locale: 'en',
  publisher: { slug: 'acme', name: 'Acme' },
  category: 'software',
  categories: ['software'],
  kind: 'plugin',
  pricing: { model: 'free' },
  homepage: null,
  support: null,
  publishedAt: AT,
  deprecated: null,
  yanked: null,
  blocked: null,
  icon: { address: '/v1/catalogue/acme/hello/assets/aa', mediaType: 'image/svg+xml', width: null, height: null },
  screenshots: [],
  readme: { markdown: '# Hello', html: '<h1>Hello</h1>' },
  changelog: null,
  reach: [{ of: 'kv', text: 'may keep data of its own', reason: 'Keeps its greetings.', optional: false }],
  compatibility: { engine: '^0.1.0', host: '0.1.0', compatible: true, why: 'It fits.' },
  trust: {
    digest: 'a'.repeat(64),
    publisherKey: 'a'.repeat(64),
    countersigned: true,
    logPosition: 3,
    provenance: null,
    origin: null,
    scan: { verdict: 'clean', at: AT, findings: { low: 1 } },
    review: { at: AT, rounds: 1, automatic: false },
  },
  health: {
    verdict: 'unknown',
    words: 'Too little is known.',
    errorRate: null,
    p95Ms: null,
    speed: 'unknown',
    suspendedShare: null,
    updatedAt: AT,
    activity: 'active',
  },
  versions: [{ version: '1.0.0', publishedAt: AT, tags: [], deprecated: false, yanked: false, halted: false }],
};

/** The marketplace in memory, for the tests of the HTTP side. */
export const fakeMarketplace = (
  port: FakePort,
): CataloguePorts & ListingRoutePorts & Pick<RatingRoutePorts, 'ratings'> & StatisticsRoutePorts => {
  const plugin = {
    plugin: 'acme/hello',
    title: 'Hello',
    description: 'Says hello.',
    category: 'software',
    kind: 'plugin' as const,
    latestVersion: '1.0.0',
    capabilities: [{ name: 'kv' as const, reason: 'Keeps its greetings.' }],
    pricing: null,
    publishedAt: AT,
    standing: { score: 0.5, rating: null, ratings: 0, operators: 2 },
  };
  const rating = {
    id: '0190f5a0-0000-7000-8000-000000000000',
    plugin: 'acme/hello',
    stars: 4,
    body: 'Greets well.',
    version: '1.0.0',
    own: false,
    helpful: 1,
    unhelpful: 0,
    hidden: null,
    reply: null,
    createdAt: AT,
    updatedAt: AT,
  };
  const report = { id: rating.id, rating, reason: 'Advertises.', createdAt: AT };
  const use = {
    invocations: 9,
    errors: 1,
    errorRate: 1 / 9,
    p95Ms: 4,
    capabilities: [{ name: 'kv', calls: 3, refused: 0 }],
  };
  const figures = { views: 5, installs: 1, updates: 0, uninstalls: 0, active: 1, use };
  const counted = { from: '2026-01-02', to: '2026-01-02', countedAt: AT, operatorsMin: 3 };
  return {
    statistics: {
      ofPlugin: port('statisticsOfPlugin', {
        plugin: 'acme/hello',
        ...counted,
        total: figures,
        days: [{ day: '2026-01-02', ...figures, use: null }],
        releases: [{ version: null, ...figures }],
      }),
      ofPublisher: port('statisticsOfPublisher', {
        publisher: 'acme',
        ...counted,
        plugins: [{ plugin: 'acme/hello', ...figures }],
      }),
    },
    ratings: {
      list: port('listRatings', { items: [rating], nextCursor: null }),
      rate: port('rate', rating),
      withdraw: port('withdrawRating', undefined),
      vote: port('voteRating', rating),
      reply: port('replyToRating', rating),
      report: port('reportRating', undefined),
      reports: port('ratingReports', { items: [report], nextCursor: null }),
      moderate: port('moderateRating', rating),
    },
    listings: {
      read: port('readListing', { ...LISTING, comparison: null }),
      image: port('readPicture', { mediaType: 'image/png', content: Buffer.from('png') }),
    },
    catalogue: {
      search: port('searchCatalogue', { items: [plugin], nextCursor: null, correctedSearch: null }),
      categories: port('categories', [{ category: 'software', plugins: 1 }]),
      alike: port('alike', [plugin]),
      ranking: port('ranking', {
        plugin: 'acme/hello',
        score: 0.5,
        place: 1,
        of: 2,
        terms: [{ term: 'operators' as const, weight: 0.25, value: 0.5, points: 0.125, facts: { operators: 2 } }],
      }),
    },
  };
};
