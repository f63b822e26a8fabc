import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { headersForPlugin } from '../http/plugin-headers.ts';
import { jsonOf } from '../kept-json.ts';
import { ConnectionMemory } from './connection-memory.ts';
import { readTarget } from './run-target.ts';

const rawHeaders = fc
  .array(
    fc.tuple(
      fc.constantFrom('Host', 'Accept', 'X-Thing', 'x-thing', 'Authorization', 'Connection', 'Cookie'),
      fc.constantFrom('a', 'b', 'x-thing', 'close', 'x'.repeat(3_000)),
    ),
    { maxLength: 5 },
  )
  .map((pairs) => pairs.flat());

describe('ConnectionMemory', () => {
  it('gives what would have been read anew, whatever was said before', () => {
    const target = fc.constantFrom(
      '/run/a/b/c',
      '/run/a/b/c?x',
      '/run/a/d/c',
      '/run/a/b',
      `/run/a/b/${'c'.repeat(3_000)}`,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(target, rawHeaders), { maxLength: 20 }), (requests) => {
        const memory = new ConnectionMemory();
        for (const [url, headers] of requests.flatMap((request) => [request, request])) {
          expect(memory.target(url)).to.deep.equal(readTarget(url));
          expect(memory.headers(headers)).to.deep.equal(headersForPlugin(headers));
          expect(jsonOf(memory.headers(headers))).to.equal(JSON.stringify(headersForPlugin(headers)));
        }
      }),
    );
  });

  it('gives the same object for the same words, and another for others', () => {
    const memory = new ConnectionMemory();
    const say = (value: string) => memory.headers(['X-Thing', value]);
    expect(say('1')).to.equal(say('1'));
    expect(say('2')).to.deep.equal([['x-thing', '2']]);
    expect(memory.target('/run/a/b/c')).to.equal(memory.target('/run/a/b/c'));
    expect(memory.bearer('Bearer one')).to.equal('one');
    expect(memory.bearer('Bearer two')).to.equal('two');
  });

  it('refuses what cannot be read each time, and stays good for the next', () => {
    const memory = new ConnectionMemory();
    expect(memory.bearer('Bearer one')).to.equal('one');
    for (const _ of [1, 2]) {
      expect(() => memory.target('/run/a')).to.throw('Plugins are at');
      expect(() => memory.bearer('Basic one')).to.throw('Bearer <token>');
    }
    expect(memory.bearer('Bearer one')).to.equal('one');
    expect(memory.target('/run/a/b').address).to.equal('a/b');
  });

  it('holds nothing long, whoever says it: 2,000 idle connections keep less than 8 MiB', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
    const heapBytes = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    // Made of bytes, as node:http makes them: one string each.
    const long = (start: string, at: number) => Buffer.from(start + ' '.repeat(14_000) + at).toString('latin1');
    const before = heapBytes();
    const memories = Array.from({ length: 2_000 }, (_, at) => {
      const memory = new ConnectionMemory();
      expect(memory.bearer(long('Bearer', at))).to.equal(String(at));
      expect(memory.headers(['x-a', long('', at)])).to.have.length(1);
      expect(memory.target(`/run/a/b/${'c'.repeat(6_000)}?${at}`).search).to.equal(`?${at}`);
      return memory;
    });
    expect((heapBytes() - before) / 2 ** 20, `${memories.length} memories`).to.be.lessThan(8);
  });
});
