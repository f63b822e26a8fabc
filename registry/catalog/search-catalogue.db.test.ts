import { expect } from 'chai';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import { createCatalogue } from './compose.ts';
import type { Catalogue, CatalogueFilter } from './contract.ts';

describe('searching the catalogue', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let catalogue: Catalogue;
  before(async () => {
    test = await testRegistry();
    catalogue = createCatalogue({ database: test.database.system });
    acme = await test.publisher('acme');
    const zeta = await test.publisher('zeta-works');
    await test.published(acme, {
      name: 'stock-keeper',
      title: 'Inventory of keys',
      description: 'Counts what is left and orders more.',
      category: 'software',
      capabilities: [{ name: 'kv', reason: 'Keeps the numbers of keys.' }],
    });
    await test.published(acme, {
      name: 'mailer',
      title: 'Mailer',
      description: 'Sends the inventory by mail every morning.',
      category: 'productivity',
      capabilities: [{ name: 'fetch', reason: 'Reaches the mail service.' }],
      fetchHosts: ['mail.example.com'],
      pricing: { model: 'one-time', amountMinor: '500', currency: 'EUR' },
    });
    await test.published(zeta, {
      name: 'kuaidi',
      title: '快递查询助手',
      description: '查询包裹的物流状态，支持多家快递公司。',
      category: 'utilities',
    });
    await test.published(zeta, { name: 'chess', title: 'The Who of chess', kind: 'game', category: 'gaming' });
    await test.registry.publishRelease(acme.principal, await sampleRelease(acme, { name: 'unseen' }));
  });
  after(() => test.database.close());
  const found = async (filter: CatalogueFilter) => (await catalogue.search(filter)).items.map(({ plugin }) => plugin);
  const names = (search: string) => found({ search });

  it('puts what has the words in its title before what has them in its description', async () => {
    expect(await names('inventory')).to.deep.equal(['acme/stock-keeper', 'acme/mailer']);
    expect(await names('Mailer')).to.deep.equal(['acme/mailer']);
  });

  it('finds English words in other forms, by their beginnings, and by every word', async () => {
    expect(await names('order counting')).to.deep.equal(['acme/stock-keeper']);
    expect(await names('inven')).to.deep.equal(['acme/stock-keeper', 'acme/mailer']);
    expect(await names('inventory morning')).to.deep.equal(['acme/mailer']);
    expect(await names('inventory of the keys')).to.deep.equal(['acme/stock-keeper']);
    expect(await names('the who')).to.include('zeta-works/chess');
    expect(await names('acme/stock-keeper')).to.deep.equal(['acme/stock-keeper']);
  });

  it('finds Chinese, which has no spaces, wherever it stands and in any width', async () => {
    for (const search of ['快递', '查询', '物流状态', '快', '包裹 物流', '快递公司']) {
      expect(await names(search), search).to.deep.equal(['zeta-works/kuaidi']);
    }
    expect(await names('天气')).to.deep.equal([]);
    expect(await names('ＩＮＶＥＮＴＯＲＹ')).to.have.length(2);
  });

  it('puts slips right and says so', async () => {
    for (const slip of ['inventroy', 'inventry', 'invemtory', 'inventorry', 'nventory']) {
      const { items, correctedSearch } = await catalogue.search({ search: slip });
      expect(correctedSearch, slip).to.equal('inventory');
      expect(items, slip).to.have.length(2);
    }
    expect((await catalogue.search({ search: 'Mial Inventroy' })).correctedSearch).to.equal('mail inventory');
    expect((await catalogue.search({ search: 'inventory' })).correctedSearch).to.equal(null);
    expect(await catalogue.search({ search: 'xylophone' })).to.deep.equal({
      items: [],
      nextCursor: null,
      correctedSearch: null,
    });
  });

  it('puts right whole words, and no parts of others', async () => {
    expect((await catalogue.search({ search: 'ailer mailer' })).correctedSearch).to.equal('mailer mailer');
  });

  it('takes whatever is typed as words', async () => {
    for (const search of ["'; drop table plugins; --", '%', '&|!()', "inventory' & 'x", '\\', '\0', ':*', '<->', '"']) {
      expect(await names(search), search).to.be.an('array');
    }
    expect(await names('%')).to.deep.equal([]);
    expect(await names('inventory:* & !keys')).to.deep.equal(['acme/stock-keeper']);
  });

  it('filters by category, kind, price and what must not be asked for', async () => {
    expect(await found({ category: 'gaming' })).to.deep.equal(['zeta-works/chess']);
    expect(await found({ kind: 'game' })).to.deep.equal(['zeta-works/chess']);
    expect(await found({ price: 'paid' })).to.deep.equal(['acme/mailer']);
    expect(await found({ search: 'inventory', price: 'free' })).to.deep.equal(['acme/stock-keeper']);
    expect(await found({ search: 'inventory', without: ['fetch', 'email'] })).to.deep.equal(['acme/stock-keeper']);
    expect(await catalogue.categories()).to.deep.equal([
      { category: 'gaming', plugins: 1 },
      { category: 'productivity', plugins: 1 },
      { category: 'software', plugins: 1 },
      { category: 'utilities', plugins: 1 },
    ]);
  });

  it('gives every plugin exactly once over its pages, whatever it sorts by', async () => {
    for (const sort of ['relevance', 'popular', 'rating', 'newest', 'updated'] as const) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await catalogue.search({ sort, limit: 1, cursor });
        seen.push(...page.items.map(({ plugin }) => plugin));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(seen, sort).to.have.length(4);
      expect(new Set(seen).size, sort).to.equal(4);
    }
  });

  it('refuses a cursor that it never gave, and one of another order', async () => {
    const { nextCursor } = await catalogue.search({ limit: 1, sort: 'newest' });
    for (const cursor of ['x', Buffer.from('popular 1e999 0').toString('base64url'), nextCursor!]) {
      expect((await refusalOf(catalogue.search({ cursor, sort: 'popular' }))).code).to.equal('cursor-invalid');
    }
  });

  it('follows new releases, and forgets what is unlisted or yanked', async () => {
    await test.published(acme, { name: 'mailer', version: '1.1.0', title: 'Postman', description: 'Brings letters.' });
    expect(await names('postman')).to.deep.equal(['acme/mailer']);
    expect(await names('inventory')).to.deep.equal(['acme/stock-keeper']);
    const { knex } = test.database;
    await knex('plugins').where({ name: 'mailer' }).update({ unlisted_at: new Date() });
    expect(await names('postman')).to.deep.equal([]);
    await test.published(acme, { name: 'letters', title: 'Postmen', description: 'Bring letters.' });
    const { items, correctedSearch } = await catalogue.search({ search: 'postman' });
    expect({ found: items.map(({ plugin }) => plugin), correctedSearch }).to.deep.equal({
      found: ['acme/letters'],
      correctedSearch: 'postmen',
    });
    await knex('releases').whereRaw(`manifest ->> 'name' = 'chess'`).update({ state: 'yanked' });
    expect(await found({ kind: 'game' })).to.deep.equal([]);
  });

  it('finds by titles in another language, and in further categories', async () => {
    const listing = { title: { zh: '国际象棋' }, categories: ['entertainment' as const] };
    await test.published(await test.publisher('gambit-works'), {
      name: 'gambit',
      title: 'Gambit',
      kind: 'game',
      category: 'gaming',
      listing,
    });
    expect(await found({ search: '象棋' })).to.deep.equal(['gambit-works/gambit']);
    expect(await found({ category: 'entertainment' })).to.deep.equal(['gambit-works/gambit']);
    expect(await found({ category: 'gaming' })).to.include('gambit-works/gambit');
    expect(await catalogue.categories()).to.deep.include({ category: 'entertainment', plugins: 1 });
  });
});
