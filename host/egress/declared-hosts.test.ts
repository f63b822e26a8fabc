import { expect } from 'chai';
import { hostsOf, isDeclared } from './declared-hosts.ts';

const declared = (host: string, url: string) => isDeclared([host], new URL(url));

describe('isDeclared', () => {
  it('takes the very host and port that were declared', () => {
    expect(declared('api.example.com', 'https://api.example.com/x')).to.equal(true);
    expect(declared('api.example.com', 'https://API.Example.com:443/')).to.equal(true);
    expect(declared('api.example.com', 'https://api.example.com./')).to.equal(true);
    expect(declared('api.example.com:8443', 'https://api.example.com:8443/')).to.equal(true);
    expect(declared('api.example.com:443', 'https://api.example.com/')).to.equal(true);
  });

  it('takes every host below a wildcard, and not the one above', () => {
    expect(declared('*.example.com', 'https://a.example.com/')).to.equal(true);
    expect(declared('*.example.com', 'https://a.b.example.com/')).to.equal(true);
    expect(declared('*.example.com', 'https://example.com/')).to.equal(false);
    expect(declared('*.example.com', 'https://evilexample.com/')).to.equal(false);
    expect(declared('*.example.com', 'https://.example.com/'.replace('//.', '//'))).to.equal(false);
  });

  it('refuses every other host, port and look-alike', () => {
    const others = [
      'https://example.com/',
      'https://api.example.com:8443/',
      'https://api.example.com.evil.test/',
      'https://evil.test/api.example.com',
      'https://evil.test/?api.example.com',
      'https://api.example.com@evil.test/',
      'https://xapi.example.com/',
      'https://api。example。com.evil.test/',
      'https://127.0.0.1/',
      'https://[::1]/',
    ];
    expect(others.filter((url) => declared('api.example.com', url))).to.deep.equal([]);
  });
});

describe('hostsOf', () => {
  it('reads a host that the operator entered, alone or as an address', () => {
    const of = (endpoint: unknown) => hostsOf(['api.example.com', 'config:endpoint'], { endpoint });
    expect(of('shop.test')).to.deep.equal(['api.example.com', 'shop.test']);
    expect(of('Shop.test:8443')).to.deep.equal(['api.example.com', 'shop.test:8443']);
    expect(of('https://shop.test/api/v1')).to.deep.equal(['api.example.com', 'shop.test']);
    expect(of('https://shop.test:9443/')).to.deep.equal(['api.example.com', 'shop.test:9443']);
  });

  it('makes no host of anything else', () => {
    for (const endpoint of [
      undefined,
      null,
      7,
      '',
      '*.test',
      'localhost',
      '127.0.0.1',
      'https://[::1]/',
      'a b.test',
      'shop.test/x',
      {},
    ]) {
      expect(hostsOf(['config:endpoint'], { endpoint }), String(endpoint)).to.deep.equal([]);
    }
    expect(hostsOf(['config:toString'], {})).to.deep.equal([]);
    expect(hostsOf(['config:endpoint'], null)).to.deep.equal([]);
  });
});
