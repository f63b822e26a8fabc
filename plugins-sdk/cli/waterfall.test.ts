import { expect } from 'chai';
import { waterfallLines, waterfallOf } from './waterfall.ts';

const plain = (_style: unknown, text: string) => text;

describe('waterfallLines', () => {
  it('draws each call where it was', () => {
    const calls = [
      { name: 'kv.get', startMs: 0, ms: 5, bytes: 12, ok: true },
      { name: 'kv.set', startMs: 5, ms: 2.5, bytes: 2_048, ok: false },
      { name: 'fetch.send', startMs: 7.5, ms: null, bytes: 3, ok: null },
    ];
    expect(waterfallLines(plain, { calls, omitted: 2 }, 10)).to.deep.equal([
      `kv.get        +0.0 ms     5.0 ms       12 B  ok      |${'='.repeat(20)}${' '.repeat(20)}|`,
      `kv.set        +5.0 ms     2.5 ms    2.0 KiB  refused |${' '.repeat(20)}${'='.repeat(10)}${' '.repeat(10)}|`,
      `fetch.send    +7.5 ms       open        3 B  waited  |${' '.repeat(30)}${'.'.repeat(10)}|`,
      'and 2 more calls',
    ]);
  });

  it('gives a call that took no time a mark, at the very end too', () => {
    const calls = [{ name: 'a', startMs: 10, ms: 0, bytes: 0, ok: true }];
    expect(waterfallLines(plain, { calls, omitted: 0 }, 10)[0]).to.match(/\| {39}=\|$/);
    expect(waterfallLines(plain, { calls: [], omitted: 0 }, 10)).to.deep.equal(['no capability call']);
  });
});

describe('waterfallOf', () => {
  it('takes what a host wrote, and nothing else', () => {
    const calls = [{ name: 'a', startMs: 1, ms: null, bytes: 0, ok: null }];
    expect(waterfallOf({ trace: { calls, omitted: 1 }, usage: { wallMs: 3 } })).to.deep.equal({
      waterfall: { calls, omitted: 1 },
      wallMs: 3,
    });
    for (const facts of [null, {}, { trace: 1 }, { trace: { calls: [{}] } }, { trace: { calls: [{ name: 1 }] } }]) {
      expect(waterfallOf(facts)).to.equal(null);
    }
  });
});
