import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { v7 } from 'uuid';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { listingText, readInfo } from '../../plugins-sdk/cli/commands/info.ts';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import { pngOf } from '../../plugins-sdk/contract/test-images.ts';
import { startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin()({ routes: { 'GET /': () => new Response('hello') } });
`;
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8" style="fill:#123"/></svg>';
const README =
  '# Greeter\n\n![One](listing/one.png)\n\n<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[site](https://example.com)\n';
const plain = (_style: unknown, text: string) => text;

const DAY_MS = 86_400_000;

describe('listings on a real host', () => {
  let platform: TestPlatform;
  let plugin: string;
  before(async () => {
    // Views are counted by the day: the tests are to see one only.
    const restOfDayMs = DAY_MS - (Date.now() % DAY_MS);
    if (restOfDayMs < 60_000) await new Promise((resolve) => setTimeout(resolve, restOfDayMs));
    platform = await startTestPlatform({ GATEHOUSE_RATE_LIMITS: 'catalogue-address=40/60' });
    const first = await release('1.0.0');
    plugin = first.plugin;
    await platform.as.moderator.approveRelease(first.id);
  });
  after(() => platform.close());

  const release = async (version: string, changes: Partial<Manifest> = {}) => {
    const manifest: Partial<Manifest> = {
      name: 'listed',
      version,
      routes: [{ method: 'GET', path: '/', access: 'public' }],
      listing: { icon: 'icon.svg', screenshots: [{ file: 'listing/one.png' }], title: { zh: '问候' } },
      ...changes,
    };
    const folder = await platform.writePlugin({ source: SOURCE, manifest });
    await mkdir(path.join(folder, 'listing'), { recursive: true });
    await writeFile(path.join(folder, 'icon.svg'), ICON);
    await writeFile(path.join(folder, 'listing', 'one.png'), pngOf(320, 200));
    await writeFile(path.join(folder, 'README.md'), README);
    expect(await readFile(path.join(folder, 'gatehouse.json'), 'utf8')).to.include(version);
    return platform.publish(folder);
  };
  // biome-ignore lint/suspicious/noExplicitAny: what came is what is looked at
  const jsonOf = async (response: Response): Promise<any> => response.json();
  const get = (target: string, init: RequestInit = {}) => fetch(platform.host.url + target, init);

  it('show strangers README, pictures, reach and trust, and let them search', async () => {
    const response = await get(`/v1/catalogue/${plugin}?locale=zh`);
    expect(response.status).to.equal(200);
    const listing = await jsonOf(response);
    expect(listing).to.deep.include({ plugin, version: '1.0.0', title: '问候' });
    expect(listing.reach[0].text).to.equal('任何人无需令牌即可访问：GET /');
    expect(listing.trust).to.deep.include({ countersigned: true });
    expect(listing.trust.logPosition).to.be.a('number');
    expect(listing.compatibility.compatible).to.equal(true);
    expect(listing.readme.html).to.include(`src="${listing.screenshots[0].address}"`);
    expect(listing.readme.html).to.include('rel="nofollow noopener noreferrer ugc"');
    expect(listing.readme.html).not.to.match(/script|onerror/);
    const found = await jsonOf(await get('/v1/catalogue?search=问候'));
    expect(found.items.map((each: { plugin: string }) => each.plugin)).to.deep.equal([plugin]);
    expect((await get('/v1/catalogue/categories')).status).to.equal(200);
    expect((await get(`/v1/catalogue/${plugin}`, { headers: { authorization: 'Bearer nobody' } })).status).to.equal(
      401,
    );
    expect((await get('/v1/installations')).status).to.equal(401);
  });

  it('serve pictures that run nothing, for ever, and by their digest alone', async () => {
    const { icon, screenshots } = await jsonOf(await get(`/v1/catalogue/${plugin}`));
    const svg = await get(icon.address);
    expect(await svg.text()).to.equal(ICON);
    const said = Object.fromEntries(svg.headers);
    expect(said).to.include({
      'content-type': 'image/svg+xml',
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect(said['content-security-policy']).to.match(/^sandbox; default-src 'none'/);
    const png = await get(screenshots[0].address);
    expect(png.headers.get('content-type')).to.equal('image/png');
    expect(Buffer.from(await png.arrayBuffer()).equals(pngOf(320, 200))).to.equal(true);
    const known = await get(icon.address, {
      headers: { 'if-none-match': svg.headers.get('etag')!, 'cache-control': 'max-age=0' },
    });
    expect(known.status).to.equal(304);
    const other = await get(icon.address.replace(/[0-9a-f]{64}$/, 'a'.repeat(64)));
    expect([other.status, (await jsonOf(other)).code]).to.deep.equal([404, 'listing-image-unknown']);
    expect((await get(`/v1/catalogue/${plugin}/assets/..%2f..%2fetc%2fpasswd`)).status).to.be.within(400, 404);
  });

  it('let no cache keep a picture that its publisher alone may see, or that was asked for with a credential', async () => {
    const draft = await release('1.0.1', { name: 'kept-back' });
    const headers = { authorization: `Bearer ${platform.credentials.publisher}` };
    const { icon } = await jsonOf(await get(`/v1/catalogue/${draft.plugin}?version=1.0.1`, { headers }));
    expect((await get(icon.address)).status, 'for strangers').to.equal(404);
    const own = await get(icon.address, { headers });
    expect(own.status).to.equal(200);
    expect(own.headers.get('cache-control')).to.match(/^private/);
  });

  it('say in the terminal what changes from the version that is installed', async () => {
    const { id } = await release('1.1.0', {
      capabilities: [{ name: 'fetch', reason: 'Asks the shop about orders.' }],
      fetchHosts: ['api.example.com'],
    });
    const { operator, moderator } = platform.as;
    await operator.install({ id: v7(), plugin, version: '1.0.0', slug: 'listed', grants: [] });
    await moderator.approveRelease(id);
    const listing = await readInfo(operator)(plugin);
    expect(listing.comparison).to.include({ fromVersion: '1.0.0', toVersion: '1.1.0', needsConsent: true });
    const text = listingText(plain, listing);
    expect(text).to.include('may call api.example.com  "Asks the shop about orders."');
    expect(text).to.match(/From 1\.0\.0 to 1\.1\.0\n\+ capabilities: fetch .*needs consent/);
    expect(text).to.include('answers anybody, without a token, at GET /');
    const stranger = createApiClient({ url: platform.host.url, token: null });
    expect((await readInfo(stranger)(`${plugin}@1.0.0`)).comparison).to.equal(null);
    const error = await readInfo(stranger)(`${plugin}@9.9.9`).catch((thrown) => thrown);
    expect(error.code).to.equal('release-unknown');
  });

  it('count who looked, once a day and never its publisher', async () => {
    await readInfo(platform.as.publisher)(plugin);
    await readInfo(platform.as.operator)(plugin);
    await platform.host.close();
    const rows = await platform.database.knex('listing_views').select('count');
    // One address of strangers, and one operator.
    expect(rows).to.deep.equal([{ count: '2' }]);
  });

  it('are closed to strangers where the host says so', async () => {
    const closed = await startTestPlatform({ GATEHOUSE_CATALOGUE_PUBLIC: 'false' });
    try {
      for (const target of [
        '/v1/catalogue',
        '/v1/catalogue/acme/hello',
        `/v1/catalogue/acme/hello/assets/${'a'.repeat(64)}`,
      ]) {
        const response = await fetch(closed.host.url + target);
        expect([response.status, (await jsonOf(response)).code], target).to.deep.equal([401, 'token-missing']);
      }
    } finally {
      await closed.close();
    }
  });
});
