import { expect } from 'chai';
import { ServerRefusal } from '../errors.ts';
import { type Listing, listingText, priceText, readInfo } from './info.ts';

const AT = '2026-01-02T03:04:05.678Z';
const plain = (_style: unknown, text: string) => text;
const listing = (changes: Partial<Listing> = {}): Listing => ({
  plugin: 'acme/hello',
  version: '1.1.0',
  latestVersion: '1.2.0',
  title: 'Hello\u001b[31m',
  description: 'Says\nhello.',
  locale: 'en',
  publisher: { slug: 'acme', name: 'Acme' },
  category: 'software',
  categories: ['software', 'gaming'],
  kind: 'plugin',
  pricing: { model: 'subscription', amountMinor: '5', currency: 'EUR' },
  homepage: null,
  support: 'mailto:help@example.com',
  publishedAt: AT,
  deprecated: { at: AT, reason: 'It is old.', replacement: '1.2.0' },
  yanked: null,
  blocked: null,
  icon: null,
  screenshots: [],
  readme: { markdown: '# Hello', html: '' },
  changelog: null,
  reach: [{ of: 'kv', text: 'may keep data of its own', reason: 'Keeps greetings.', optional: true }],
  compatibility: {
    engine: '^9',
    host: '0.1.0',
    compatible: false,
    why: 'It asks for Gatehouse ^9, but this is 0.1.0.',
  },
  trust: {
    digest: 'a'.repeat(64),
    publisherKey: 'b'.repeat(64),
    countersigned: true,
    logPosition: null,
    provenance: { repository: 'https://example.com/r', commit: 'c'.repeat(40), builder: 'gate' },
    origin: null,
    scan: { verdict: 'notes', at: AT, findings: { low: 2 } },
    review: { at: AT, rounds: 1, automatic: true },
  },
  health: {
    verdict: 'fair',
    words: '2.00 % of its invocations fail.',
    errorRate: 0.02,
    p95Ms: 12.5,
    speed: 'fast',
    suspendedShare: 0,
    updatedAt: AT,
    activity: 'active',
  },
  versions: [{ version: '1.1.0', publishedAt: AT, tags: ['beta'], deprecated: true, yanked: false, halted: false }],
  comparison: null,
  ...changes,
});
const refusal = (code: string) => new ServerRefusal({ code, status: 403, message: '', requestId: null, facts: {} });

describe('gate info', () => {
  const api = (installed: string | Error) => {
    const asked: object[] = [];
    return {
      asked,
      readListing: async (plugin: string, wish: object = {}) => {
        asked.push({ plugin, ...wish });
        return listing();
      },
      listInstallations: async () => {
        if (typeof installed !== 'string') throw installed;
        return { items: [{ plugin: 'acme/hello', version: installed }], nextCursor: null } as never;
      },
    };
  };

  it('names the newest version as the channel latest, and the registry that a release was imported from', () => {
    const { trust, versions } = listing();
    const here = listingText(plain, listing({ latestVersion: '1.1.0' }));
    expect(here)
      .to.match(/1\.1\.0 +latest beta +2026/)
      .and.not.include('imported');
    const origin = { registryKeyId: 'd'.repeat(64), importedAt: AT };
    const there = listingText(plain, listing({ versions, trust: { ...trust, origin } }));
    expect(there)
      .to.include(`from the registry with the key ${'d'.repeat(16)}…, ${AT}`)
      .and.not.include('latest beta');
  });

  it('compares with what is installed, with what was named, and with nothing for whoever has none', async () => {
    const operator = api('1.0.0');
    await readInfo(operator)('acme/hello@1.1.0', { locale: 'zh' });
    expect(operator.asked).to.deep.equal([
      { plugin: 'acme/hello', version: '1.1.0', locale: 'zh' },
      { plugin: 'acme/hello', version: '1.1.0', locale: 'zh', against: '1.0.0' },
    ]);
    const current = api('1.1.0');
    await readInfo(current)('acme/hello');
    const named = api('1.0.0');
    await readInfo(named)('acme/hello', { against: '0.9.0' });
    expect(named.asked).to.deep.equal([{ plugin: 'acme/hello', against: '0.9.0' }]);
    const publisher = api(refusal('permission-denied'));
    await readInfo(publisher)('acme/hello');
    expect([current.asked.length, publisher.asked.length]).to.deep.equal([1, 1]);
  });

  it('refuses a language that there is not, and a name that is none', async () => {
    for (const [text, options] of [
      ['acme/hello', { locale: 'fr' }],
      ['hello', {}],
    ] as const)
      expect((await readInfo(api('1.0.0'))(text, options).catch((error) => error)).code).to.equal('usage');
  });

  it('says all of it in words, and nothing that moves the cursor', () => {
    const text = listingText(plain, listing());
    expect(text).not.to.include('\u001b');
    for (const part of [
      'Hello  acme/hello@1.1.0 (newest: 1.2.0)\nSays hello.\nDeprecated: It is old. Take 1.2.0.\nIt asks for Gatehouse ^9',
      'kind       plugin, software, gaming',
      'price      0.05 EUR, subscription',
      'runs here  no. It asks',
      'may keep data of its own (optional)  "Keeps greetings."',
      'by key bbbbbbbbbbbbbbbb…, and by the registry',
      'notes (2 low)',
      'by rule, its publisher is trusted with patches',
      'fast: 95 of 100 answers within 12.5 ms',
      'README: gate info acme/hello@1.1.0 --readme',
    ])
      expect(text).to.include(part);
    expect(text).to.match(/1\.1\.0 +beta +2026-01-02T03:04:05\.678Z +deprecated/);
    expect(listingText(plain, listing({ reach: [], readme: null }))).to.include('may compute, and nothing else');
  });

  it('shows prices in the minor units of their currency', () => {
    const price = (amountMinor: string, currency: string) => priceText({ model: 'one-time', amountMinor, currency });
    expect(price('123456', 'USD')).to.equal('1234.56 USD, one-time');
    expect(price('500', 'JPY')).to.equal('500 JPY, one-time');
    expect(price('5', 'BHD')).to.equal('0.005 BHD, one-time');
    expect(priceText({ model: 'free' })).to.equal('free');
  });
});
