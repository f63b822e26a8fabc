import { expect } from 'chai';
import { isDatabaseOutage } from './outages.ts';

const error = (facts: object, message = '') => Object.assign(new Error(message), facts);

describe('isDatabaseOutage', () => {
  const OUTAGES: [what: string, error: unknown][] = [
    ['a refused connection', error({ code: 'ECONNREFUSED' })],
    ['a connection that is cut', error({ code: 'ECONNRESET' })],
    ['a missing unix socket', error({ code: 'ENOENT', syscall: 'connect' })],
    ['a server that shuts down', error({ code: '57P01' })],
    ['a server that starts', error({ code: '57P03' })],
    ['too many connections', error({ code: '53300' })],
    ['a lost connection', error({ code: '08006' })],
    ['a connection that ended', error({}, 'Connection terminated unexpectedly')],
    ['a pool without a free connection', error({ name: 'KnexTimeoutError' })],
    ['a server that does not answer', error({}, 'timeout expired')],
    ['a database that was never reached', error({ name: 'DatabaseUnavailable' })],
    ['an outage that a model wrapped', error({ nativeError: error({ code: '57P01' }) })],
    ['an outage as a cause', new Error('x', { cause: error({ code: 'ECONNREFUSED' }) })],
    ['every address refused', new AggregateError([error({ code: 'ECONNREFUSED' })])],
  ];
  for (const [what, thrown] of OUTAGES) {
    it(`recognises ${what}`, () => {
      expect(isDatabaseOutage(thrown)).to.equal(true);
    });
  }

  const FAULTS: [what: string, error: unknown][] = [
    ['a broken constraint', error({ code: '23505' })],
    ['a syntax error', error({ code: '42601' })],
    ['a missing file', error({ code: 'ENOENT', syscall: 'open' })],
    ['a programming error', new TypeError('x is not a function')],
    ['nothing', undefined],
  ];
  for (const [what, thrown] of FAULTS) {
    it(`does not excuse ${what}`, () => {
      expect(isDatabaseOutage(thrown)).to.equal(false);
    });
  }

  it('ends on errors that are their own cause', () => {
    const looped = new Error('x');
    looped.cause = looped;
    expect(isDatabaseOutage(looped)).to.equal(false);
  });
});
