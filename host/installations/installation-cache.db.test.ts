import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import type { Organisation, Release } from '../../registry/index.ts';
import { addInstallation } from './fake-installation.ts';
import { type InstallationCache, installationCache } from './installation-cache.ts';
import { type InstallationStore, installationStore } from './installation-store.ts';

describe('installations in memory', () => {
  let database: TestDatabase;
  let store: InstallationStore;
  let cache: InstallationCache;
  let asked: string[];
  before(async () => {
    database = await testDatabase();
    store = installationStore(database.knex, ({ score }) => score);
  });
  after(() => database.close());
  beforeEach(() => {
    asked = [];
    const bySlug: InstallationStore['bySlug'] = (operatorId, slug) => {
      asked.push(slug);
      return store.bySlug(operatorId, slug);
    };
    const registry = {
      findOrganisation: (slug: string) => database.knex<Organisation>('organisations').where({ slug }).first() as never,
      releaseById: async () => ({ state: 'approved', manifest: {} }) as unknown as Release,
    };
    cache = installationCache({ store: { ...store, bySlug }, registry, rollouts: { canaryOf: async () => null } });
  });
  const existing = async () => (await store.byId(await addInstallation(database)))!;
  const addressOf = ({ operator, slug }: { operator: { slug: string }; slug: string }) => `${operator.slug}/${slug}`;

  it('are read once, and again after a change of their own only', async () => {
    const [one, other] = [await existing(), await existing()];
    for (const each of [one, other]) await cache.find(addressOf(each));
    await database.knex('installations').where({ id: one.id }).update({ enabled: false });
    const readAgain = cache.changed(one.id);
    expect(await cache.find(addressOf(one))).to.include({ id: one.id, enabled: false });
    expect(cache.find(addressOf(other))).to.include({ id: other.id });
    await readAgain;
    expect(asked).to.deep.equal([one.slug, other.slug, one.slug]);
  });

  it('are found where there was none before', async () => {
    const installation = await existing();
    const slug = `${installation.slug}-new`;
    const address = addressOf({ ...installation, slug });
    expect(await cache.find(address)).to.equal(null);
    await database.knex('installations').where({ id: installation.id }).update({ slug });
    void cache.changed(installation.id);
    expect(await cache.find(address)).to.include({ id: installation.id });
  });

  it('are read again at once, before anybody calls them', async () => {
    const installation = await existing();
    await cache.changed(installation.id);
    expect(cache.find(addressOf(installation))).to.include({ id: installation.id });
  });

  it('are read again after a change on another host where they were kept, and else by whoever calls them', async () => {
    const [kept, other] = [await existing(), await existing()];
    await cache.find(addressOf(kept));
    await cache.forget(kept.id);
    await cache.forget(other.id);
    expect(cache.find(addressOf(kept))).to.include({ id: kept.id });
    expect(asked).to.deep.equal([kept.slug, kept.slug]);
  });

  it('are not read again where they are gone', async () => {
    const installation = await existing();
    await database.knex('installations').where({ id: installation.id }).update({ deleted_at: new Date() });
    await cache.changed(installation.id);
    expect(asked).to.deep.equal([]);
  });
});
