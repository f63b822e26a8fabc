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
  capabilities: [
    { name: 'fetch', reason: 'Asks for prices.' },
    { name: 'secrets', reason: 'Signs in there.' },
    { name: 'queue', reason: 'Sends mails later.' },
  ],
};
const pointersOf = (changes: object): string[] => {
  const checked = checkManifest({ ...MANIFEST, ...changes });
  return checked.ok ? [] : checked.faults.map(({ pointer }) => pointer);
};

describe('checkManifest', () => {
  it('takes hosts, hosts with a port, wildcards below two names and fields of the configuration', () => {
    const fetchHosts = ['api.example.com', 'api.example.com:8443', '*.example.com', '*.co.uk', 'config:endpoint'];
    expect(pointersOf({ fetchHosts })).to.deep.equal([]);
  });

  it('refuses addresses, lone names, everything at once, and ports of other services', () => {
    const odd = [
      '127.0.0.1',
      '[::1]',
      'localhost',
      '*',
      '*.com',
      'a.*.com',
      'api.example.com:22',
      'api.example.com:999999',
    ].concat([
      'https://api.example.com',
      'api.example.com/x',
      'API.example.com',
      'user@api.example.com',
      'config:',
      'config:a.b',
      ' api.example.com',
    ]);
    for (const host of odd) expect(pointersOf({ fetchHosts: [host] }), host).to.deep.equal(['/fetchHosts/0']);
  });

  it('binds secrets to hosts of fetchHosts, and to headers that decide nothing about the request', () => {
    const secret = (send: object) => ({
      fetchHosts: ['api.example.com'],
      secrets: [
        {
          name: 'API_KEY',
          reason: 'Opens the shop.',
          send: { hosts: ['api.example.com'], header: 'authorization', ...send },
        },
      ],
    });
    expect(pointersOf(secret({ format: 'Bearer {}' }))).to.deep.equal([]);
    expect(pointersOf(secret({ hosts: ['api.example.com', 'evil.example'] }))).to.deep.equal(['/secrets/0/send/hosts']);
    for (const header of ['host', 'content-length', 'transfer-encoding', 'x-forwarded-for', 'proxy-authorization']) {
      expect(pointersOf(secret({ header })), header).to.deep.equal(['/secrets/0/send/header']);
    }
    for (const format of ['Bearer', '{} {}', 'a\r\nb: {}', '{']) {
      expect(pointersOf(secret({ format })), format).to.deep.equal(['/secrets/0/send/format']);
    }
    const twice = { name: 'API_KEY', reason: 'Opens the shop.' };
    expect(pointersOf({ secrets: [twice, twice] })).to.deep.equal(['/secrets/1']);
    expect(pointersOf({ secrets: [{ ...twice, name: 'api-key' }] })).to.deep.equal(['/secrets/0/name']);
  });

  it('takes queues where the plugin asks for the capability', () => {
    expect(pointersOf({ queues: [{ name: 'mails', attempts: 20, backOffSeconds: 3_600 }] })).to.deep.equal([]);
    expect(pointersOf({ queues: [{ name: 'mails' }], capabilities: [] })).to.deep.equal(['/queues']);
    expect(pointersOf({ queues: [{ name: 'mails' }, { name: 'mails' }] })).to.deep.equal(['/queues/1']);
    expect(pointersOf({ queues: [{ name: 'Mails' }] })).to.deep.equal(['/queues/0/name']);
    expect(pointersOf({ queues: [{ name: 'mails', attempts: 21 }] })).to.deep.equal(['/queues/0/attempts']);
  });
});
