import type { CataloguePorts } from '../routes/catalogue.ts';
import type { RatingRoutePorts } from '../routes/ratings.ts';

const AT = '2026-01-02T03:04:05.678Z';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** The marketplace in memory, for the tests of the HTTP side. */
export const fakeMarketplace = (port: FakePort): CataloguePorts & RatingRoutePorts => {
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
  return {
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
