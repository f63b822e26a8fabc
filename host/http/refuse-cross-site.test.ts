import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { HostRefusal } from '../errors.ts';
import { refuseCrossSite } from './refuse-cross-site.ts';

const OWN = 'https://gate.example';
const refused = (headers: IncomingHttpHeaders, method = 'POST'): boolean => {
  try {
    refuseCrossSite(method, headers, OWN);
    return false;
  } catch (error) {
    expect((error as HostRefusal).code).to.equal('request-cross-site');
    return error instanceof HostRefusal;
  }
};

describe('refuseCrossSite', () => {
  it('refuses what a page of another site makes the browser send', () => {
    for (const site of ['cross-site', 'same-site', 'nonsense']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(refused({ cookie: 'a=1', 'sec-fetch-site': site }, method), `${site} ${method}`).to.equal(true);
      }
    }
  });

  it('refuses a foreign origin where the browser says nothing of the site', () => {
    for (const origin of ['https://evil.example', 'http://gate.example', 'https://gate.example.evil', 'null', '']) {
      expect(refused({ origin, host: 'other.example' }), origin).to.equal(true);
    }
  });

  it('refuses a foreign origin although the site is called the same', () => {
    expect(refused({ origin: 'https://evil.example', host: 'gate.example', 'sec-fetch-site': 'same-origin' })).to.equal(
      true,
    );
  });

  it('lets our own pages and programs through', () => {
    expect(refused({ 'sec-fetch-site': 'same-origin', origin: OWN, host: 'gate.example' })).to.equal(false);
    expect(refused({ origin: 'http://localhost:8080', host: 'localhost:8080' })).to.equal(false);
    expect(refused({ 'sec-fetch-site': 'none' })).to.equal(false);
    expect(refused({ cookie: 'a=1' })).to.equal(false);
  });

  it('leaves alone what changes nothing, and what shows a credential that no browser adds', () => {
    expect(refused({ 'sec-fetch-site': 'cross-site' }, 'GET')).to.equal(false);
    expect(refused({ 'sec-fetch-site': 'cross-site', authorization: 'Bearer x' })).to.equal(false);
  });
});
