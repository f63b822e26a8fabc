import { expect } from 'chai';
import { refusalOf, sampleRelease, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';

describe('listPlugins', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    const zeta = await test.publisher('zeta');
    await test.published(zeta, { name: 'alpha', title: 'First', description: 'Sells 100%_of keys.' });
    await test.published(acme, { name: 'beta', title: 'Old title' });
    await test.published(acme, {
      name: 'beta',
      version: '1.1.0',
      title: 'New title',
      capabilities: [{ name: 'kv', reason: 'Keeps the orders.' }],
      pricing: { model: 'one-time', amountMinor: '500', currency: 'EUR' },
    });
    await test.published(acme, { name: 'gamma' });
    await test.registry.publishRelease(acme.principal, await sampleRelease(acme, { name: 'unseen' }));
  });
  after(() => test.database.close());
  const names = async (filter = {}) => (await test.registry.listPlugins(filter)).items.map(({ plugin }) => plugin);

  it('lists by name every plugin that has a published release', async () => {
    expect(await names()).to.deep.equal(['acme/beta', 'acme/gamma', 'zeta/alpha']);
  });

  it('describes the newest release', async () => {
    const { items } = await test.registry.listPlugins({ search: 'beta' });
    expect(items).to.deep.equal([
      {
        plugin: 'acme/beta',
        title: 'New title',
        description: 'Says hello.',
        category: 'utilities',
        kind: 'plugin',
        latestVersion: '1.1.0',
        capabilities: [{ name: 'kv', reason: 'Keeps the orders.' }],
        pricing: { model: 'one-time', amountMinor: '500', currency: 'EUR' },
      },
    ]);
  });

  it('finds in name, title and description without case, and takes wildcards literally', async () => {
    expect(await names({ search: 'ZETA/al' })).to.deep.equal(['zeta/alpha']);
    expect(await names({ search: 'new TITLE' })).to.deep.equal(['acme/beta']);
    expect(await names({ search: '100%_of' })).to.deep.equal(['zeta/alpha']);
    expect(await names({ search: '%' })).to.deep.equal(['zeta/alpha']);
    for (const search of ['b_ta', 'Old title', "'; drop table plugins; --", '\\']) {
      expect(await names({ search })).to.deep.equal([]);
    }
    expect(await names({ search: ' \0 ' })).to.have.length(3);
  });

  it('gives every plugin exactly once over its pages', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await test.registry.listPlugins({ limit: 1, cursor });
      seen.push(...page.items.map(({ plugin }) => plugin));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).to.deep.equal(['acme/beta', 'acme/gamma', 'zeta/alpha']);
  });

  it('refuses a cursor that it never gave', async () => {
    for (const cursor of ['x', 'YWNtZQ', '\0']) {
      expect((await refusalOf(test.registry.listPlugins({ cursor }))).code).to.equal('cursor-invalid');
    }
  });
});
