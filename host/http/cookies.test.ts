import { expect } from 'chai';
import { readCookie, sessionCookies } from './cookies.ts';

describe('session cookies', () => {
  it('are bound to the origin, out of reach of scripts and of other sites', () => {
    const { access, set } = sessionCookies('https://gate.example');
    const made = '__Host-gatehouse-access=v; Max-Age=900; Path=/; HttpOnly; SameSite=Strict; Secure';
    expect(set(access, 'v', 900)).to.equal(made);
  });

  it('are secure on every plain origin but those of this machine', () => {
    for (const origin of [
      'http://gate.example',
      'http://127.0.0.1.example',
      'http://10.0.0.1:80',
      'http://localhost.x',
    ]) {
      const { refresh, set } = sessionCookies(origin);
      expect(set(refresh, 'v', 1), origin).to.match(/^__Host-gatehouse-refresh=.*; Secure$/);
    }
    for (const origin of ['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:1']) {
      const { refresh, set } = sessionCookies(origin);
      expect(set(refresh, 'v', 1), origin).to.match(/^gatehouse-refresh=.*; SameSite=Strict$/);
    }
  });
});

describe('readCookie', () => {
  it('finds a cookie among others by its whole name', () => {
    expect(readCookie('xa=1; a=2;a2=3', 'a')).to.equal('2');
    expect(readCookie('xa=1; A=2', 'a')).to.equal(undefined);
    expect(readCookie(undefined, 'a')).to.equal(undefined);
  });

  it('takes none that is given twice, malformed or long', () => {
    for (const header of ['a=1; a=2', 'a=', 'a="1"', 'a=1 2', 'a=%31', `a=${'x'.repeat(1_025)}`, 'a']) {
      expect(readCookie(header, 'a'), header).to.equal(undefined);
    }
  });
});
