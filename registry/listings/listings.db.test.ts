import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { contextOf, inContext } from '../../host/database-context.ts';
import { type Manifest, README_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { pngOf } from '../../plugins-sdk/contract/test-images.ts';
import { createListings, createViewCounter, type Listings, type Principal } from '../index.ts';
import { askedBy } from '../test-context.ts';
import {
  envelopeOf,
  refusalOf,
  releaseFiles,
  sampleManifest,
  type TestPublisher,
  type TestRegistry,
  tarOf,
  testRegistry,
} from '../test-registry.ts';

const PNG = pngOf(640, 480);
const LISTING: Manifest['listing'] = {
  icon: 'listing/icon.svg',
  screenshots: [{ file: 'listing/one.png', caption: { en: 'The first', zh: '第一张' } }],
  homepage: 'https://example.com',
  title: { zh: '问候' },
};
const ICON = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>';

describe('listings', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let operator: Principal;
  let listings: Pick<Listings, 'details' | 'image'>;
  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    operator = await test.organisation('arcade', 'operator', 'operator-owner');
    const ports = {
      database: test.database.scoped,
      system: test.database.system,
      nowMs: () => test.clock.nowMs,
      compatibility: (engine: string) => ({ engine, host: '0.1.0', compatible: true, why: 'It fits.' }),
      p95Ms: (durations: readonly number[]) => durations.length,
    };
    const asked = askedBy(createListings(ports));
    const asNobody = <Result>(work: () => Result) => inContext(contextOf(null), work);
    listings = {
      details: (viewer, wish) =>
        viewer === null ? asNobody(() => asked.details(null, wish)) : asked.details(viewer, wish),
      image: (...args) => asNobody(() => createListings(ports).image(...args)),
    };
  });
  after(() => test.database.close());

  const send = async (manifest: Partial<Manifest>, files: Record<string, string | Buffer> = {}) => {
    const whole = sampleManifest({ publisher: 'acme', ...manifest });
    const entries = Object.entries(files).map(([name, content]) => ({ name, content }));
    const archive = gzipSync(await tarOf([...releaseFiles(whole), ...entries]));
    return test.registry.publishRelease(acme.principal, {
      archive,
      envelope: envelopeOf(whole, archive, acme.privateKey),
    });
  };
  const publish = async (...args: Parameters<typeof send>) =>
    test.registry.approveRelease(test.moderator, (await send(...args)).id);
  const details = async (viewer: Principal | null, version?: string, locale?: 'en' | 'zh') =>
    (await listings.details(viewer, { plugin: 'acme/greeter', version, locale })).details;

  it('shows strangers what is published: texts, pictures, reach, trust and versions', async () => {
    await publish(
      { listing: LISTING, capabilities: [{ name: 'kv', reason: 'Keeps its greetings.' }], category: 'software' },
      {
        'README.md': '# Greeter\n\n![](listing/one.png)<script>alert(1)</script>',
        'CHANGELOG.md': '## 1.0.0',
        'listing/icon.svg': ICON,
        'listing/one.png': PNG,
      },
    );
    const shown = await details(null);
    expect(shown).to.deep.include({
      plugin: 'acme/greeter',
      version: '1.0.0',
      latestVersion: '1.0.0',
      title: 'Greeter',
      publisher: { slug: 'acme', name: 'The acme' },
      categories: ['software'],
      pricing: { model: 'free' },
      homepage: 'https://example.com',
      support: null,
    });
    expect(shown.reach[0]?.text).to.equal('may keep data of its own at your Gatehouse');
    expect(shown.trust).to.deep.include({ countersigned: true, provenance: null, scan: null });
    expect(shown.trust.review).to.include({ rounds: 1, automatic: false });
    expect(shown.health.verdict).to.equal('unknown');
    expect(shown.versions).to.deep.equal([
      { version: '1.0.0', publishedAt: shown.publishedAt, tags: [], deprecated: false, yanked: false, halted: false },
    ]);
    expect(shown.readme?.markdown).to.include('# Greeter');
    expect(shown.readme?.html).to.include(`<img src="${shown.screenshots[0]?.address}"`);
    expect(shown.readme?.html).not.to.include('script');
    expect(shown.changelog?.html).to.include('<h2>1.0.0</h2>');
    expect(shown.icon).to.include({ mediaType: 'image/svg+xml', width: null });
    expect(shown.screenshots[0]).to.include({ mediaType: 'image/png', width: 640, height: 480, caption: 'The first' });
  });

  it('speaks the language that was asked for, as far as the publisher does', async () => {
    const shown = await details(operator, '1.0.0', 'zh');
    expect(shown).to.include({ title: '问候', description: 'Says hello.', locale: 'zh' });
    expect(shown.screenshots[0]?.caption).to.equal('第一张');
    expect(shown.reach[0]?.text).to.match(/保存/);
  });

  it('gives pictures by the digest of their bytes, of this plugin alone', async () => {
    const address = (await details(null)).screenshots[0]!.address;
    const sha256 = address.split('/').at(-1)!;
    const { content, mediaType } = await listings.image('acme/greeter', sha256);
    expect(mediaType).to.equal('image/png');
    expect(content.equals(PNG)).to.equal(true);
    for (const [plugin, digest] of [
      ['acme/other', sha256],
      ['acme/greeter', 'a'.repeat(64)],
      ['x', sha256],
      ['acme/greeter', '../x'],
    ] as const)
      expect((await refusalOf(listings.image(plugin, digest))).code).to.equal('listing-image-unknown');
  });

  it('makes a page once, however many ask for it first', async () => {
    await publish({ version: '1.1.0' }, { 'README.md': '*new*' });
    const all = await Promise.all(Array.from({ length: 8 }, () => details(null, '1.1.0')));
    expect(new Set(all.map(({ readme }) => readme?.html))).to.deep.equal(new Set(['<p><em>new</em></p>\n']));
    const { rows } = await test.database.system.raw(`select count(*) from release_pages`);
    expect(Number(rows[0].count)).to.equal(2);
  });

  it('takes a channel for a version, and shows nobody but publisher and moderators what is in review', async () => {
    await send({ version: '2.0.0-rc.1' }, { 'README.md': 'next' });
    for (const viewer of [null, operator]) {
      expect((await refusalOf(details(viewer, '2.0.0-rc.1'))).code).to.equal('release-unknown');
      expect((await refusalOf(details(viewer, 'beta'))).code).to.equal('release-unknown');
    }
    for (const viewer of [acme.principal, test.moderator]) {
      expect((await details(viewer, '2.0.0-rc.1')).readme?.markdown, viewer.role).to.equal('next');
    }
    expect((await refusalOf(listings.details(null, { plugin: "x'; --" }))).code).to.equal('release-unknown');
    await test.publishing.releaseLife.setTag(acme.principal, {
      plugin: 'acme/greeter',
      tag: 'beta',
      version: '1.0.0',
    });
    expect((await details(null, 'beta')).version).to.equal('1.0.0');
  });

  it('shows no text and no picture of what was taken down', async () => {
    const image = (await details(null, '1.0.0')).icon!.address.split('/').at(-1)!;
    const blocked = JSON.stringify({ at: new Date().toISOString(), reason: 'It steals.' });
    await test.database.system('releases').where({ version: '1.0.0' }).update({ blocked });
    const shown = await details(null, '1.0.0');
    expect([shown.readme, shown.changelog, shown.icon, shown.screenshots]).to.deep.equal([null, null, null, []]);
    expect(shown.blocked?.reason).to.equal('It steals.');
    expect(shown.versions.map(({ version }) => version)).not.to.include('1.0.0');
    expect((await refusalOf(listings.image('acme/greeter', image))).code).to.equal('listing-image-unknown');
  });

  it('refuses to publish an oversized README with script, and pictures that do more than show', async () => {
    const listing = { icon: 'icon.svg' };
    const oversized = `${'a'.repeat(README_BYTES_MAX)}<script>alert(1)</script>`;
    const attempts: [Record<string, string | Buffer>, RegExp][] = [
      [{ 'README.md': oversized, 'icon.svg': ICON }, /"README\.md" of the archive is larger than/],
      [{ 'icon.svg': ICON.replace('<path', '<script>alert(1)</script><path') }, /"icon\.svg" .* element <script>/],
      [{ 'icon.svg': ICON.replace('<path', '<path onclick="alert(1)"') }, /"icon\.svg" .* attribute onclick/],
      [{ 'icon.svg': `<!DOCTYPE svg [<!ENTITY a "b">]>${ICON}` }, /"icon\.svg" .* DOCTYPE/],
      [{}, /"icon\.svg" .* is missing/],
    ];
    for (const [files, message] of attempts) {
      const refusal = await refusalOf(send({ version: '3.0.0', listing }, files));
      expect(refusal.code).to.equal('release-archive-invalid');
      expect(refusal.message).to.match(message);
    }
  });

  it('judges health by what was measured over all operators', async () => {
    const { system } = test.database;
    const { id: pluginId } = await system('plugins').where({ name: 'greeter' }).first('id');
    const figures = { invocations: 1_000, faults: 20, durations: [1, 2, 3] };
    const count = (daysAgo: number, operators: number) => {
      const day = new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
      return system('plugin_statistics').insert({ plugin_id: pluginId, day, operators, ...figures });
    };
    const counted = { operators: 3, operators_ever: 3, uninstalled: 0, invocations: 0, faults: 0 };
    await test.database.asOwner(async (owner) => {
      await owner('plugin_standing').delete();
      await owner('plugin_standing').insert({ plugin_id: pluginId, score: 0.5, rating: 3.5, ratings: 0, ...counted });
    });
    await count(2, 2);
    expect((await details(null)).health).to.include({ verdict: 'unknown', errorRate: null, p95Ms: null });
    await count(1, 3);
    await count(40, 3);
    const known = { verdict: 'fair', errorRate: 0.02, p95Ms: 3, suspendedShare: null };
    expect((await details(null)).health).to.include(known);
  });

  it('adds views of a day to those that are there', async () => {
    const { system } = test.database;
    const { id: pluginId } = await system('plugins').where({ name: 'greeter' }).first('id');
    for (const viewers of [['a', 'b', 'a'], ['c']]) {
      const views = createViewCounter({ system, nowMs: () => Date.parse('2030-01-01T00:00:00Z') });
      for (const viewer of viewers) views.count(pluginId, viewer);
      await views.flush();
    }
    const rows = await system('listing_views').select('plugin_id', 'count');
    expect(rows).to.deep.equal([{ plugin_id: pluginId, count: '3' }]);
  });
});
