import type { CataloguePorts } from '../routes/catalogue.ts';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** The marketplace in memory, for the tests of the HTTP side. */
export const fakeMarketplace = (port: FakePort): CataloguePorts => {
  const plugin = {
    plugin: 'acme/hello',
    title: 'Hello',
    description: 'Says hello.',
    category: 'software',
    kind: 'plugin' as const,
    latestVersion: '1.0.0',
    capabilities: [{ name: 'kv' as const, reason: 'Keeps its greetings.' }],
    pricing: null,
    publishedAt: '2026-01-02T03:04:05.678Z',
    standing: { score: 0.5, rating: null, ratings: 0, operators: 2 },
  };
  return {
    catalogue: {
      search: port('searchCatalogue', { items: [plugin], nextCursor: null, correctedSearch: null }),
      categories: port('categories', [{ category: 'software', plugins: 1 }]),
      alike: port('alike', [plugin]),
    },
  };
};
