import { expect } from 'chai';
import { passkeyPlace } from './passkey-place.ts';

describe('passkeyPlace', () => {
  it('is the name of the host, and pages from exactly its origin', () => {
    expect(passkeyPlace('https://gate.example')).to.deep.equal({
      domain: 'gate.example',
      origins: ['https://gate.example'],
    });
    expect(passkeyPlace('https://gate.example:8443')!.origins).to.deep.equal(['https://gate.example:8443']);
  });

  it('is localhost for a host of this machine alone', () => {
    const local = { domain: 'localhost', origins: ['http://localhost:8080'] };
    for (const origin of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost:8080']) {
      expect(passkeyPlace(origin), origin).to.deep.equal(local);
    }
  });

  it('is nowhere for addresses and without encryption, where browsers have no passkeys', () => {
    for (const origin of ['https://192.0.2.1', 'http://[2001:db8::1]:80', 'http://gate.example']) {
      expect(passkeyPlace(origin), origin).to.equal(null);
    }
  });
});
