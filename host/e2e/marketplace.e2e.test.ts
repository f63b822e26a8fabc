import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { type ApiClient, createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { createCatalogue } from '../../registry/index.ts';
import { dayCounter } from '../statistics/count-days.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const LAMP = 'acme-labs/lamp';
const plugin = (name: string, title: string, description: string) => ({
  source: `import { definePlugin } from '@gatehouse/plugin-sdk';
    export default definePlugin({ routes: {
      'GET /': async (request, ctx) => { await ctx.kv.set('seen', 1); return { ok: true }; },
      'GET /fail': () => { throw new Error('burnt out'); },
    } });`,
  manifest: { ...callerRoutes('GET /', 'GET /fail'), capabilities: [KV], name, title, description },
});

/** Finding, judging and counting plugins, by HTTP and with the rights that people have. */
describe('the marketplace of a platform', () => {
  let platform: TestPlatform;
  /** Each an operator of its own, with its owner's client. */
  const operators: Record<'north' | 'south' | 'west' | 'stranger', { api: ApiClient; token: string }> = {} as never;
  const installers = ['north', 'south', 'west'] as const;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_RATE_LIMITS: 'rating-organisation=12/3600' });
    const lamp = await platform.install(plugin('lamp', 'Inventory of lamps', 'Counts what shines. 库存查询。'));
    const shade = await platform.install(plugin('shade', 'Shades', 'Goes well with lamps.'));
    for (const slug of [...installers, 'stranger'] as const) {
      await platform.as.admin.createOrganisation({ id: v7(), slug, kind: 'operator', name: slug });
      operators[slug] = await owner(slug);
    }
    for (const slug of installers) {
      for (const { plugin: name, version } of [lamp, shade]) {
        const install = { id: v7(), plugin: name, version, slug: name.split('/')[1]!, grants: ['kv' as const] };
        await operators[slug].api.install(install);
      }
    }
  });
  after(() => platform.close());

  const owner = async (organisation: string) => {
    const issued = { organisation, role: 'operator-owner' as const, label: 'owner' };
    const { secret: token } = await platform.as.admin.issueToken(issued);
    return { token, api: createApiClient({ url: platform.host.url, token }) };
  };
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing was refused',
      ({ code }) => code,
    );
  const refresh = () => createCatalogue({ database: platform.database.system }).refresh();
  const standing = async () => {
    await refresh();
    const { items } = await platform.as.operator.searchCatalogue({ search: LAMP });
    return items.find((each) => each.plugin === LAMP)!.standing!;
  };

  it('finds plugins in English, in Chinese, by their beginnings and with a slip', async () => {
    const names = async (search: string) =>
      (await operators.stranger.api.searchCatalogue({ search })).items.map((each) => each.plugin);
    for (const search of ['inventory of lamps', 'invent', '库存', 'inventroy']) {
      expect(await names(search), search).to.deep.equal([LAMP]);
    }
    expect(await names('lamps')).to.deep.equal([LAMP, 'acme-labs/shade']);
    const without = { search: 'lamps', without: 'kv' };
    expect((await operators.stranger.api.searchCatalogue(without)).items).to.deep.equal([]);
  });

  it('refuses a review by a non-installer, and by the publisher', async () => {
    expect(await codeOf(operators.stranger.api.rate(LAMP, { stars: 1, body: 'Never used it.' }))).to.equal(
      'rating-not-installed',
    );
    expect(await codeOf(platform.as.publisher.rate(LAMP, { stars: 5, body: 'Ours!' }))).to.equal('permission-denied');
    expect((await platform.as.operator.listRatings(LAMP)).items).to.deep.equal([]);
  });

  it('counts many accounts of one operator once: the last word stands', async () => {
    for (const stars of [5, 5, 5]) await (await owner('north')).api.rate(LAMP, { stars, body: 'Shines!' });
    await operators.south.api.rate(LAMP, { stars: 2, body: 'Flickers.' });
    expect((await platform.as.operator.listRatings(LAMP)).items).to.have.length(2);
    expect(await standing()).to.deep.include({ ratings: 2, rating: 3.5, operators: 4 });
    const { items } = await operators.west.api.listRatings(LAMP);
    const { id } = items.find(({ stars }) => stars === 2)!;
    for (const { api } of [await owner('west'), await owner('west'), operators.west]) {
      expect(await api.voteRating(id, true)).to.include({ helpful: 1 });
    }
    expect(await codeOf(operators.south.api.voteRating(id, true))).to.equal('rating-own');
  });

  it('hides what moderators find wrong, tells its author why, and shows it again', async () => {
    const { items } = await operators.north.api.listRatings(LAMP);
    const { id } = items.find(({ stars }) => stars === 2)!;
    await operators.north.api.reportRating(id, 'It is about another plugin.');
    const { moderator } = platform.as;
    expect((await moderator.ratingReports()).items.map(({ reason }) => reason)).to.deep.equal([
      'It is about another plugin.',
    ]);
    expect(await codeOf(operators.north.api.moderateRating(id, 'Mine is better.'))).to.equal('permission-denied');
    expect(await moderator.moderateRating(id, 'Off topic.')).to.include({ hidden: 'Off topic.' });
    expect((await moderator.ratingReports()).items).to.deep.equal([]);
    expect(await standing()).to.deep.include({ ratings: 1, rating: 5 });
    expect((await operators.west.api.listRatings(LAMP)).items.map((each) => each.id)).not.to.include(id);
    const mine = (await operators.south.api.listRatings(LAMP)).items.find(({ own }) => own);
    expect(mine).to.include({ hidden: 'Off topic.' });
    expect(await moderator.moderateRating(id, null)).to.include({ hidden: null });
    expect(await standing()).to.deep.include({ ratings: 2 });
  });

  it('lets nobody flood a publisher with what is told of each change of a rating', async () => {
    const { api, token } = operators.west;
    const statuses: number[] = [];
    for (let count = 0; count < 13; count += 1) {
      const { status } = await fetch(`${platform.host.url}/v1/catalogue/acme-labs/shade/ratings/own`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ stars: 1 + (count % 5), body: '' }),
      });
      statuses.push(status);
    }
    expect([statuses[0], statuses.at(-1)]).to.deep.equal([200, 429]);
    await api.withdrawRating('acme-labs/shade');
  });

  it('explains where a plugin stands', async () => {
    const { score } = await standing();
    const ranking = await operators.stranger.api.ranking(LAMP);
    expect(ranking).to.include({ plugin: LAMP, of: 2 });
    expect(ranking.score).to.be.closeTo(score, 1e-9);
    const sum = (name: 'points' | 'weight') => ranking.terms.reduce((total, each) => total + each[name], 0);
    expect([sum('points'), sum('weight')].map((each) => each.toFixed(9))).to.deep.equal([
      score.toFixed(9),
      (1).toFixed(9),
    ]);
    expect(ranking.terms.find(({ term }) => term === 'operators')!.facts).to.deep.equal({ operators: 4 });
    expect(await codeOf(operators.stranger.api.ranking('acme-labs/nothing'))).to.equal('plugin-unlisted');
  });

  it('recommends what several operators use together', async () => {
    await refresh();
    const answer = await fetch(`${platform.host.url}/v1/catalogue/acme-labs/lamp/alike`, {
      headers: { authorization: `Bearer ${operators.stranger.token}` },
    });
    const { items } = (await answer.json()) as { items: { plugin: string }[] };
    expect(items.map((each) => each.plugin)).to.deep.equal(['acme-labs/shade']);
  });

  it('tells the publisher what was used, and nobody of whom', async () => {
    const call = (slug: string, target: string) =>
      fetch(`${platform.host.url}/run/${slug}/lamp${target}`, {
        headers: { authorization: `Bearer ${operators[slug as 'north'].token}` },
      });
    const { count } = dayCounter(platform.database.system, Date.now);
    const read = async () => {
      await count();
      return platform.as.publisher.pluginStatistics(LAMP);
    };
    for (const slug of ['north', 'south']) expect((await call(slug, '/')).status).to.equal(200);
    await written(2);
    expect((await read()).total).to.deep.include({ installs: 4, active: 4, use: null });
    expect((await call('west', '/')).status).to.equal(200);
    expect((await call('west', '/fail')).status).to.equal(502);
    await written(4);
    const { total, days, releases } = await read();
    expect(total.use).to.deep.include({ invocations: 4, errors: 1, errorRate: 0.25 });
    expect(total.use!.p95Ms).to.be.greaterThan(0);
    expect(days).to.have.length(30);
    expect(releases).to.have.length(1);
    const { plugins } = await platform.as.publisher.publisherStatistics('acme-labs');
    expect(plugins.map((each) => each.plugin)).to.deep.equal([LAMP, 'acme-labs/shade']);
    const told = JSON.stringify([total, days, releases, plugins]);
    for (const slug of installers) expect(told).not.to.include(slug);
    expect(await codeOf(operators.north.api.pluginStatistics(LAMP))).to.equal('permission-denied');
    const range = { from: '2026-02-02', to: '2026-02-01' };
    expect(await codeOf(platform.as.publisher.pluginStatistics(LAMP, range))).to.equal('statistics-range-invalid');
  });

  /** Until the meters of the host have written so many invocations. */
  const written = async (invocations: number) => {
    for (;;) {
      const row = await platform.database.knex('release_usage').sum({ sum: 'invocations' }).first();
      if (Number(row?.sum ?? 0) >= invocations) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  it('finds what the guide searches for among the examples, which the demo publishes', async () => {
    const example = path.join(import.meta.dirname, '..', '..', 'examples', 'order-delivery');
    await platform.as.moderator.approveRelease((await platform.publish(example)).id);
    const guide = await readFile(path.join(import.meta.dirname, '..', '..', 'docs', 'marketplace.md'), 'utf8');
    const [, search] = /`gate search ([^`]+)`/.exec(guide)!;
    for (const words of [search!, 'ordering']) {
      const { items } = await operators.stranger.api.searchCatalogue({ search: words });
      expect(
        items.map((each) => each.plugin),
        words,
      ).to.deep.equal(['acme-labs/order-delivery']);
    }
  });
});
