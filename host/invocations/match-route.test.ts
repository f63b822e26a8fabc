import { expect } from 'chai';
import fc from 'fast-check';
import { compileRoutes } from './match-route.ts';

const route = (method: string, path: string) => ({ method, path, access: 'public' }) as never;
const matcher = (...routes: [method: string, path: string][]) =>
  compileRoutes({ routes: routes.map(([method, path]) => route(method, path)) });

describe('compileRoutes', () => {
  it('finds a route and decodes its parameters', () => {
    const match = matcher(['GET', '/orders/:id']);
    expect(match('GET', '/orders/a%20b')).to.deep.equal({
      matched: { route: 'GET /orders/:id', access: 'public', streamsBody: false, params: { id: 'a b' } },
    });
  });

  it('prefers a literal segment to a parameter, whatever the order in the manifest', () => {
    const routes: [string, string][] = [
      ['GET', '/orders/:id'],
      ['GET', '/orders/latest'],
    ];
    for (const order of [routes, routes.toReversed()]) {
      expect(matcher(...order)('GET', '/orders/latest')).to.have.nested.property('matched.route', 'GET /orders/latest');
    }
  });

  it('answers HEAD with the GET route unless there is one for HEAD', () => {
    expect(matcher(['GET', '/'])('HEAD', '/')).to.have.nested.property('matched.route', 'GET /');
    expect(matcher(['GET', '/'], ['HEAD', '/'])('HEAD', '/')).to.have.nested.property('matched.route', 'HEAD /');
  });

  it('names the methods that a path has instead', () => {
    expect(matcher(['GET', '/x'], ['PUT', '/x'])('POST', '/x')).to.deep.equal({ allowed: ['GET', 'PUT'] });
  });

  it('never lets an encoded slash split a segment', () => {
    expect(matcher(['GET', '/a/:b'])('GET', '/a/x%2Fy')).to.have.nested.property('matched.params.b', 'x/y');
    expect(matcher(['GET', '/a/x/y'])('GET', '/a/x%2Fy')).to.equal(null);
  });

  it('does not match an empty parameter, a trailing slash or malformed encoding', () => {
    const match = matcher(['GET', '/a/:b'], ['GET', '/c']);
    for (const path of ['/a/', '/a', '/c/', '/a/%zz', '/a/b/c', '']) expect(match('GET', path), path).to.equal(null);
  });

  it('gives back any parameter that was encoded into the path', () => {
    const match = matcher(['GET', '/x/:first/:second']);
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(text, text, (first, second) => {
        const path = `/x/${encodeURIComponent(first)}/${encodeURIComponent(second)}`;
        expect(match('GET', path)).to.have.deep.nested.property('matched.params', { first, second });
      }),
    );
  });
});
