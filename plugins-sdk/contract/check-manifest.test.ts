import { expect } from 'chai';
import { checkManifest } from './check-manifest.ts';

const MANIFEST = {
  name: 'shop',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Shop',
  description: 'Sells.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
};

describe('faults of a manifest', () => {
  it('say in words what a text must be, for names, versions, hosts, secrets and personal values', () => {
    const checked = checkManifest({
      ...MANIFEST,
      name: 'My Shop',
      version: '1.0',
      fetchHosts: ['https://api.example.com/'],
      secrets: [{ name: 'api-key', reason: 'Opens the shop.' }],
      personal: ['/request/body/email'],
    });
    const faults = checked.ok ? {} : Object.fromEntries(checked.faults.map((each) => [each.pointer, each.message]));
    expect(faults).to.deep.equal({
      '/name': 'must be 3 to 40 lower-case letters, digits and single dashes, and start with a letter',
      '/version': 'must be a version such as 1.2.3',
      '/fetchHosts/0':
        'must be a host such as api.example.com, api.example.com:8443 or *.example.com, or config:<field>; no address, scheme or path',
      '/secrets/0/name': 'must be a name in capitals such as API_KEY',
      '/personal/0':
        'must be a JSON pointer that begins with /body, /query, /headers, /params, /payload, /config or /results/<call>, such as /body/email',
    });
  });
});
