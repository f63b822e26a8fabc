import { expect } from 'chai';
import { CAPABILITY_NAMES, type CapabilityName } from './capabilities/index.ts';
import type { Manifest } from './manifest.ts';
import { REACH_WORDS, reachLines } from './reach-words.ts';

const reason = 'It is needed for greetings.';
const manifest = (changes: Partial<Manifest> = {}): Manifest => ({
  name: 'hello',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme',
  title: 'Hello',
  description: 'Says hello.',
  category: 'software',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  ...changes,
});
const asking = (name: CapabilityName, changes: Partial<Manifest> = {}) => {
  const wanted = manifest({ capabilities: [{ name, reason }], ...changes });
  return { en: reachLines(wanted, 'en')[0]!.text, zh: reachLines(wanted, 'zh')[0]!.text };
};

describe('reachLines', () => {
  it('has words for every capability of the contract, in English and in Chinese, and no two alike', () => {
    expect(Object.keys(REACH_WORDS).sort()).to.deep.equal([...CAPABILITY_NAMES].sort());
    const all = CAPABILITY_NAMES.map((name) => asking(name));
    for (const { en, zh } of all) {
      expect(en).to.match(/^[\x20-\x7e]{10,}$/);
      expect(zh).to.match(/[\u4e00-\u9fff]{4}/);
    }
    expect(new Set(all.map(({ en }) => en)).size).to.equal(all.length);
    expect(new Set(all.map(({ zh }) => zh)).size).to.equal(all.length);
  });

  it('names hosts, plugins, topics and secrets', () => {
    const fetchHosts = ['api.example.com', '*.example.org', 'config:endpoint'];
    expect(asking('fetch', { fetchHosts }).en).to.equal(
      'may call api.example.com, *.example.org, the host that you enter as "endpoint"',
    );
    expect(asking('fetch', { fetchHosts }).zh).to.equal(
      '可以访问 api.example.com、*.example.org、您在“endpoint”中填写的主机',
    );
    expect(asking('plugins', { dependencies: [{ plugin: 'acme/prices', range: '^1' }] }).en).to.include('acme/prices');
    const events = { publishes: ['order.paid'], subscribes: [{ topic: 'stock.low', from: 'acme/stock' }] };
    expect(asking('events', { events }).en).to.equal(
      'may tell your other plugins of "order.paid"; hears from your other plugins of "stock.low" (acme/stock)',
    );
    const secrets = [{ name: 'API_KEY', reason, send: { hosts: ['api.example.com'], header: 'authorization' } }];
    expect(asking('secrets', { secrets }).en).to.match(/without reading them: API_KEY \(sent to api\.example\.com\)$/);
    expect(asking('secret-values', { secrets }).zh).to.equal('可以读取您的这些密钥的内容：API_KEY');
  });

  it('says why and whether it has to be, and what the plugin does by itself and for strangers', () => {
    const lines = reachLines(
      manifest({
        capabilities: [{ name: 'kv', reason, optional: true }],
        routes: [
          { method: 'GET', path: '/', access: 'public' },
          { method: 'POST', path: '/orders', access: 'caller' },
        ],
        schedule: [{ name: 'nightly', cron: '0 3 * * *' }],
        personal: ['/body/email'],
      }),
      'en',
    );
    expect(lines[0]).to.deep.include({ of: 'kv', reason, optional: true });
    expect(lines.slice(1).map(({ text }) => text)).to.deep.equal([
      'answers anybody, without a token, at GET /',
      'runs by itself: nightly (0 3 * * * UTC)',
      'handles personal values',
    ]);
  });
});
