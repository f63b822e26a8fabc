import { expect } from 'chai';
import { v7 } from 'uuid';
import { inContext } from '../../host/database-context.ts';
import { createAuditIn } from '../audit/audit-store.ts';
import { createCatalogue } from '../catalog/compose.ts';
import type { Principal } from '../contract.ts';
import { refusalOf, type TestPublisher, type TestRegistry, testRegistry } from '../test-registry.ts';
import { createRatings } from './compose.ts';
import type { Ratings } from './contract.ts';

const PLUGIN = 'acme/greeter';

/** As the scoped database sees it: row-level security holds. */
describe('ratings', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let ratings: Ratings;
  let releaseId: string;
  const operators: Principal[] = [];
  before(async () => {
    test = await testRegistry();
    const ports = { nowMs: () => test.clock.nowMs, newId: v7 };
    ratings = createRatings({
      ...ports,
      database: test.database.scoped,
      auditIn: createAuditIn({ ...ports, origin: () => null }),
    });
    acme = await test.publisher('acme');
    releaseId = (await test.published(acme)).id;
    for (const slug of ['shop', 'cafe', 'bakery']) operators.push(await operator(slug));
  });
  after(() => test.database.close());
  const operator = (slug: string) => test.organisation(slug, 'operator', 'operator-owner');
  const install = (actor: Principal, changes = {}) =>
    test.database.knex('installations').insert({
      id: v7(),
      operator_id: actor.organisation.id,
      slug: `greeter-${v7().slice(-12)}x`,
      release_id: releaseId,
      ...changes,
    });
  const as = <Result>(actor: Principal, work: () => Promise<Result>) =>
    inContext({ accountId: actor.account?.id ?? null, organisationId: actor.organisation.id, role: actor.role }, work);
  const rate = (actor: Principal, stars: number, body = '') =>
    as(actor, () => ratings.rate(actor, { plugin: PLUGIN, stars, body }));
  const listed = (actor: Principal) => as(actor, () => ratings.list(actor, { plugin: PLUGIN }));
  const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;

  it('takes them from installers only, and from those who have uninstalled too', async () => {
    const [shop, cafe] = operators as [Principal, Principal];
    expect(await codeOf(rate(shop, 5))).to.equal('rating-not-installed');
    await install(shop);
    await install(cafe, { deleted_at: new Date() });
    expect(await rate(shop, 5, 'Greets well.')).to.include({ plugin: PLUGIN, stars: 5, own: true, version: '1.0.0' });
    expect(await rate(cafe, 1)).to.include({ stars: 1 });
    const refused = as(shop, () => ratings.rate(shop, { plugin: 'acme/nothing', stars: 5, body: '' }));
    expect(await codeOf(refused)).to.equal('plugin-unlisted');
  });

  it('gives an organisation one voice, which it may change and withdraw', async () => {
    const [shop, cafe] = operators as [Principal, Principal];
    const colleague = { ...shop, credentialId: v7() };
    await rate(colleague, 3, 'Less so now.');
    const { items } = await listed(shop);
    expect(items.map(({ stars, own }) => [stars, own])).to.deep.equal([
      [1, false],
      [3, true],
    ]);
    await as(cafe, () => ratings.withdraw(cafe, PLUGIN));
    await as(cafe, () => ratings.withdraw(cafe, PLUGIN));
    expect((await listed(shop)).items).to.have.length(1);
  });

  it('keeps hidden what a moderator hid, whatever its author does, and tells the author why', async () => {
    const [, cafe] = operators as [Principal, Principal];
    const { id } = await rate(cafe, 1, 'Buy my plugin instead.');
    await as(test.moderator, () => ratings.moderate(test.moderator, id, 'It advertises.'));
    expect((await listed(cafe)).items.find(({ own }) => own)).to.include({ hidden: 'It advertises.' });
    expect((await listed(test.moderator)).items.find((each) => each.id === id)).to.include({
      hidden: 'It advertises.',
    });
    await as(cafe, () => ratings.withdraw(cafe, PLUGIN));
    expect(await rate(cafe, 1, 'Buy it!')).to.include({ id, hidden: 'It advertises.' });
    expect((await listed(operators[0]!)).items.map((each) => each.id)).not.to.include(id);
    await as(cafe, () => ratings.withdraw(cafe, PLUGIN));
    expect((await listed(test.moderator)).items.find((each) => each.id === id)).to.include({ body: '' });
    await test.database.knex('ratings').where({ id }).delete();
  });

  it('takes none from an organisation that shares a member with the publisher', async () => {
    const bakery = operators[2]!;
    await install(bakery);
    const accountId = v7();
    const { knex } = test.database;
    await knex('accounts').insert({ id: accountId, username: 'both', state: 'active', person_key: Buffer.alloc(100) });
    for (const [organisation, role] of [
      [bakery, 'operator-viewer'],
      [acme.principal, 'developer'],
    ] as const) {
      const membership = { id: v7(), organisation_id: organisation.organisation.id, account_id: accountId, role };
      await knex('memberships').insert({ ...membership, created_at: new Date() });
    }
    expect(await codeOf(rate(bakery, 5))).to.equal('rating-own-plugin');
    const { id: praise } = (await listed(operators[0]!)).items[0]!;
    expect(await codeOf(as(bakery, () => ratings.vote(bakery, praise, true)))).to.equal('rating-own-plugin');
    await knex('memberships').where({ account_id: accountId }).delete();
    expect(await rate(bakery, 4)).to.include({ stars: 4 });
  });

  it('counts one vote for each organisation, and none for its own', async () => {
    const [shop, cafe] = operators as [Principal, Principal];
    const { id } = (await listed(shop)).items.find(({ own }) => own)!;
    expect(await codeOf(as(shop, () => ratings.vote(shop, id, true)))).to.equal('rating-own');
    for (let time = 0; time < 3; time += 1) {
      expect(await as(cafe, () => ratings.vote(cafe, id, true))).to.include({ helpful: 1, unhelpful: 0 });
    }
    expect(await as(cafe, () => ratings.vote(cafe, id, false))).to.include({ helpful: 0, unhelpful: 1 });
    expect(await as(cafe, () => ratings.vote(cafe, id, null))).to.include({ helpful: 0, unhelpful: 0 });
    expect(await codeOf(as(cafe, () => ratings.vote(cafe, v7(), true)))).to.equal('rating-unknown');
  });

  it('lets the publisher reply, and no other publisher', async () => {
    const [shop] = operators as [Principal];
    const rival = await test.publisher('rival');
    const { id } = (await listed(shop)).items.find(({ own }) => own)!;
    const reply = (actor: Principal, body: string | null) => as(actor, () => ratings.reply(actor, id, body));
    expect((await reply(acme.principal, 'Mended.')).reply).to.include({ body: 'Mended.' });
    expect(await codeOf(reply(rival.principal, 'Buy ours.'))).to.equal('rating-unknown');
    expect((await listed(shop)).items.find(({ own }) => own)!.reply?.body).to.equal('Mended.');
    expect((await reply(acme.principal, null)).reply).to.equal(null);
  });

  it('shows moderators what was reported, once for each organisation, and hides what they hide', async () => {
    const [shop, cafe, bakery] = operators as [Principal, Principal, Principal];
    const { id } = (await listed(bakery)).items.find(({ own }) => own)!;
    const report = (actor: Principal) => as(actor, () => ratings.report(actor, id, 'Advertises.'));
    expect(await codeOf(report(bakery))).to.equal('rating-own');
    for (const actor of [shop, shop, cafe, acme.principal]) await report(actor);
    const { moderator } = test;
    const reports = () => as(moderator, () => ratings.reports({}));
    expect((await reports()).items.map(({ rating }) => rating.id)).to.deep.equal([id, id, id]);
    await as(moderator, () => ratings.moderate(moderator, id, 'It advertises.'));
    expect((await reports()).items).to.deep.equal([]);
    expect((await listed(shop)).items.map((each) => each.id)).not.to.include(id);
    const audited = await test.database
      .knex('audit_entries')
      .whereRaw(`content::jsonb ->> 'action' = 'rating.hide' and content::jsonb #>> '{subject,id}' = ?`, [id]);
    expect(audited).to.have.length(1);
    await as(moderator, () => ratings.moderate(moderator, id, null));
    expect((await listed(shop)).items.map((each) => each.id)).to.include(id);
  });

  it('gives every rating once over its pages, and refuses a cursor that it never gave', async () => {
    const [shop] = operators as [Principal];
    const page = (cursor?: string) => as(shop, () => ratings.list(shop, { plugin: PLUGIN, limit: 1, cursor }));
    const first = await page();
    const second = await page(first.nextCursor!);
    expect(second.nextCursor).to.equal(null);
    expect(second.items[0]!.id).not.to.equal(first.items[0]!.id);
    expect(await codeOf(page('x'))).to.equal('cursor-invalid');
  });

  it('ranks by owners: many organisations of one person count once', async () => {
    const catalogue = createCatalogue({ database: test.database.system });
    const { knex } = test.database;
    const swarm = v7();
    await knex('accounts').insert({ id: swarm, username: 'swarm', state: 'active', person_key: Buffer.alloc(100) });
    const standing = async () => {
      expect(await catalogue.refresh()).to.equal(true);
      return (await catalogue.search({})).items.find(({ plugin }) => plugin === PLUGIN)!.standing!;
    };
    const before = await standing();
    expect(before).to.include({ ratings: 2, operators: 2, rating: 3.5 });
    for (let at = 0; at < 10; at += 1) {
      const puppet = await operator(`puppet-${at}`);
      const membership = {
        id: v7(),
        organisation_id: puppet.organisation.id,
        account_id: swarm,
        role: 'operator-owner',
      };
      await knex('memberships').insert({ ...membership, created_at: new Date() });
      await install(puppet);
      await rate(puppet, 5);
    }
    const after = await standing();
    expect(after).to.include({ ratings: 3, operators: 3, rating: 4 });
  });

  it('ranks by people: owners who own an organisation together count once, and insiders not at all', async () => {
    const catalogue = createCatalogue({ database: test.database.system });
    const { knex } = test.database;
    const join = async (organisation: Principal, accountId: string, role: string) => {
      const membership = { id: v7(), organisation_id: organisation.organisation.id, account_id: accountId, role };
      await knex('memberships').insert({ ...membership, created_at: new Date() });
    };
    const person = async (username: string) => {
      const id = v7();
      await knex('accounts').insert({ id, username, state: 'active', person_key: Buffer.alloc(100) });
      return id;
    };
    const operatorsNow = async () => {
      await catalogue.refresh();
      const { terms } = await catalogue.ranking(PLUGIN);
      return terms.find(({ term }) => term === 'operators')!.facts.operators;
    };
    const before = (await operatorsNow()) as number;
    // One and two are owned by different people, but both of them own the third.
    const [one, two] = [await person('first_one'), await person('second_one')];
    for (const [slug, owners] of [
      ['chain-1', [one]],
      ['chain-2', [two]],
      ['chain-3', [one, two]],
    ] as const) {
      const actor = await operator(slug);
      for (const owner of owners) await join(actor, owner, 'operator-owner');
      await install(actor);
      await rate(actor, 1);
    }
    expect(await operatorsNow()).to.equal(before + 1);
    // Whoever joins the publisher after the rating is an insider all the same.
    await join(acme.principal, two, 'developer');
    expect(await operatorsNow()).to.equal(before);
    const { items } = await catalogue.search({});
    expect(items.find(({ plugin }) => plugin === PLUGIN)!.standing!.ratings).to.equal(3);
    const chain = operators[0]!;
    expect(await codeOf(as(chain, () => catalogue.ranking('acme/nothing')))).to.equal('plugin-unlisted');
  });

  it('lets no owner hide the faults of others behind a flood of good invocations', async () => {
    const catalogue = createCatalogue({ database: test.database.system });
    const { knex } = test.database;
    const faults = async () => {
      await catalogue.refresh();
      const { terms } = await catalogue.ranking(PLUGIN);
      return terms.find(({ term }) => term === 'faults')!;
    };
    const use = async (actor: Principal, invocations: number, failed: number) => {
      const { id } = await knex('installations').where({ operator_id: actor.organisation.id }).first('id');
      const hour = knex.raw("date_trunc('hour', now(), 'UTC')");
      await knex('usage').insert({ installation_id: id, hour, invocations, faults: failed });
    };
    const [shop, , bakery] = operators as [Principal, Principal, Principal];
    await use(shop, 10_000, 1_000);
    expect((await faults()).facts).to.deep.equal({ invocations: 10_000, faults: 1_000 });
    await use(bakery, 9_000_000, 0);
    const flooded = await faults();
    expect(flooded.facts).to.deep.equal({ invocations: 20_000, faults: 1_000 });
    expect(flooded.value).to.be.closeTo(0.5, 0.01);
  });

  it('recommends what at least three owners use together', async () => {
    const catalogue = createCatalogue({ database: test.database.system });
    const other = await test.published(acme, { name: 'parting' });
    const [shop, , bakery] = operators as [Principal, Principal, Principal];
    const alike = async () => {
      await catalogue.refresh();
      return (await catalogue.alike(PLUGIN)).map(({ plugin }) => plugin);
    };
    // Many accounts of one operator are one.
    const puppets = await test.database.knex('organisations').whereLike('slug', 'puppet-%').pluck('id');
    for (const id of puppets)
      await install({ ...shop, organisation: { ...shop.organisation, id } }, { release_id: other.id });
    await install(shop, { release_id: other.id });
    expect(await alike()).to.deep.equal([]);
    await install(bakery, { release_id: other.id });
    expect(await alike()).to.deep.equal(['acme/parting']);
    expect(await codeOf(catalogue.alike('acme/nothing'))).to.equal('plugin-unlisted');
  });
});
