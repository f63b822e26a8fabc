import { expect } from 'chai';
import type { CataloguePlugin } from '../../../registry/index.ts';
import { foundText, rankingText, searchPlugins } from './search.ts';

const plain = (_style: unknown, text: string) => text;
const plugin = (name: string, changes: Partial<CataloguePlugin> = {}): CataloguePlugin => ({
  plugin: `acme/${name}`,
  title: 'Keys\u001b[31m',
  description: '',
  category: 'software',
  kind: 'plugin',
  latestVersion: '1.0.0',
  capabilities: [],
  pricing: null,
  publishedAt: '2026-01-02T03:04:05.678Z',
  standing: null,
  ...changes,
});

describe('gate search', () => {
  it('asks for what was typed, over as many pages as it shows', async () => {
    const asked: object[] = [];
    const search = searchPlugins({
      searchCatalogue: async (filter = {}) => {
        asked.push(filter);
        const first = filter.cursor === undefined;
        return { items: [plugin(first ? 'one' : 'two')], nextCursor: first ? 'c' : null, correctedSearch: 'keys' };
      },
    });
    const found = await search('kyes', { price: 'free' });
    expect(found.items.map((each) => each.plugin)).to.deep.equal(['acme/one', 'acme/two']);
    expect(found.correctedSearch).to.equal('keys');
    expect(asked[0]).to.include({ search: 'kyes', price: 'free' });
    expect(asked[1]).to.include({ cursor: 'c' });
    await search('', {});
    expect(asked[2]).not.to.have.property('search');
  });

  it('shows stars, price and what was searched for instead, and nothing that moves the cursor', () => {
    const rated = plugin('one', {
      pricing: { model: 'one-time', amountMinor: '500', currency: 'EUR' },
      standing: { score: 0.5, rating: 4.25, ratings: 8, operators: 31 },
    });
    const text = foundText(plain, { items: [rated, plugin('two')], correctedSearch: 'keys' });
    expect(text).to.match(/^Searched for "keys" instead\.\n/);
    expect(text).to.match(/acme\/one +1\.0\.0 +one-time +4\.3 \(8\) +31 /);
    expect(text).to.match(/acme\/two +1\.0\.0 +free +- +0 /);
    expect(text).not.to.include('\u001b');
    expect(foundText(plain, { items: [], correctedSearch: null })).to.equal('There are no such plugins.');
  });

  it('explains a score by its terms', () => {
    const text = rankingText(plain, {
      plugin: 'acme/one',
      score: 0.4567,
      place: 3,
      of: 12,
      terms: [
        { term: 'rating', weight: 0.35, value: 0.5, points: 0.175, facts: { ratings: 0, mean: null, drawnTo: 3.5 } },
        { term: 'operators', weight: 0.25, value: 0.2, points: 0.05, facts: { operators: 3 } },
      ],
    });
    expect(text).to.match(/^acme\/one: 0\.457, place 3 of 12 by score\n/);
    expect(text).to.match(/rating +35 % +0\.500 +0\.175 +0 ratings, 3\.50 with those that it is drawn to/);
    expect(text).to.match(/operators +25 % +0\.200 +0\.050 +3 operators have it/);
  });
});
