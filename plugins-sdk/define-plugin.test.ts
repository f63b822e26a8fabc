import { expect } from 'chai';
import { definePlugin, type RouteParamName } from './define-plugin.ts';

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const typed = <_Proof extends true>() => {};

describe('definePlugin', () => {
  it('types params by the route, payloads by the hook and the configuration by its type', () => {
    typed<Same<RouteParamName<'GET /orders/:id/lines/:line'>, 'id' | 'line'>>();
    typed<Same<RouteParamName<'GET /'>, never>>();
    const plugin = definePlugin<{ prize: number }>()({
      routes: {
        'GET /orders/:id': (_request, { params, config }) => {
          typed<Same<typeof params, { readonly id: string }>>();
          typed<Same<typeof config, { prize: number }>>();
          return params.id;
        },
        // @ts-expect-error this route has no such segment
        'GET /other': (_request, { params }) => params.id,
        // @ts-expect-error a route answers with something
        'POST /nothing': () => {},
      },
      hooks: {
        'order.paid': ({ payload }) => {
          typed<Same<typeof payload.orderId, string>>();
        },
      },
      health: () => ({ status: 'ok' }),
    });
    expect(Object.keys(plugin.routes!)).to.have.length(3);
  });

  it('returns the definition frozen and runs none of it', () => {
    const handler = () => {
      throw new Error('it ran');
    };
    const plugin = definePlugin({ routes: { 'GET /': handler }, health: handler });
    expect(plugin).to.deep.equal({ routes: { 'GET /': handler }, hooks: {}, schedule: {}, health: handler });
    expect(Object.isFrozen(plugin)).to.equal(true);
    expect(Object.isFrozen(plugin.routes)).to.equal(true);
  });

  for (const [what, definition, message] of [
    ['no object', undefined, /takes one object/],
    ['a list', [], /takes one object/],
    ['an unknown field', { route: {} }, /no field "route".*routes/],
    ['a route without a method', { routes: { '/orders': () => 1 } }, /routes\["\/orders"\] must be named/],
    ['a route that is no function', { routes: { 'GET /': 'hello' } }, /routes\["GET \/"\] must be a function/],
    ['hooks that are no object', { hooks: 'order.paid' }, /hooks must be an object/],
    ['a health that is no function', { health: true }, /health must be a function/],
  ] as const) {
    it(`refuses ${what} and names the field`, () => {
      expect(() => definePlugin(definition as never)).to.throw(TypeError, message);
    });
  }
});
