import { expect } from 'chai';
import fc from 'fast-check';
import type { HostRefusal } from '../errors.ts';
import { readTarget } from './run-target.ts';

const codeOf = (target: string): string => {
  try {
    readTarget(target);
    return 'accepted';
  } catch (error) {
    return (error as HostRefusal).code;
  }
};

describe('readTarget', () => {
  it('splits address, path and query, and leaves them as they were sent', () => {
    expect(readTarget('/run/acme/shop/orders/a%2Fb%20c?x=%zz&y=1&y=2')).to.deep.equal({
      address: 'acme/shop',
      path: '/orders/a%2Fb%20c',
      search: '?x=%zz&y=1&y=2',
    });
  });

  it('takes a missing path for the root', () => {
    expect(readTarget('/run/acme/shop')).to.include({ path: '/', search: '' });
    expect(readTarget('/run/acme/shop?x')).to.include({ path: '/', search: '?x' });
    expect(readTarget('/run/acme/shop/')).to.include({ path: '/' });
  });

  it('knows nothing above an installation', () => {
    for (const target of ['/run/', '/run/acme', '/run/acme/', '/run//shop/x', '/run/acme//x', '/run/a%63me/shop/']) {
      expect(codeOf(target), target).to.equal('route-unknown');
    }
  });

  it('refuses paths that parsers of URLs read differently', () => {
    const paths = [
      '/..',
      '/../x',
      '/a/../b',
      '/a/./b',
      '/a/..',
      '/%2e%2e/x',
      '/a/.%2E/b',
      '/a\\..\\b',
      '/a b',
      '/%zz',
      '/%2',
      '/é',
      '/a"b',
      '/<x>',
      '/{x}',
    ];
    for (const path of paths) expect(codeOf(`/run/acme/shop${path}`), path).to.equal('request-malformed');
    expect(codeOf('/run/acme/shop/x?a b')).to.equal('request-malformed');
    expect(codeOf('/run/acme/shop/x?a=\x7f')).to.equal('request-malformed');
  });

  it('takes odd paths that all parsers read alike', () => {
    for (const path of ['//x', '/a//b/', '/...', '/..a', '/a%2F..%2Fb', "/@host/:x;y=1,2!$&*()+'"]) {
      expect(codeOf(`/run/acme/shop${path}`), path).to.equal('accepted');
    }
  });

  it('gives a path that is the same after it was parsed as a URL', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2E%2e',
      '%2F',
      '%5c',
      '\\',
      'a',
      '?',
      '#',
      ' ',
      '%',
      ':',
      '@',
      '\t',
      'é',
      ';',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/run/acme/shop/${pieces.join('')}`;
        if (codeOf(target) !== 'accepted') return;
        const { path } = readTarget(target);
        expect(new URL(`https://gate.example${path}`).pathname).to.equal(path);
        expect(new URL(`https://gate.example${path}`).host).to.equal('gate.example');
      }),
      { numRuns: 2_000 },
    );
  });
});
