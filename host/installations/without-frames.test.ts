import { expect } from 'chai';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import { withoutFrames } from './without-frames.ts';

const entry = (message: string, facts: Json = {}) => ({
  at: '2026-01-02T03:04:05.678Z',
  invocationId: 'i',
  source: 'host' as const,
  level: 'error' as const,
  message,
  facts,
});

describe('withoutFrames', () => {
  it('leaves code, message and amounts of a fault, and takes its stack away', () => {
    const fault = { code: 'cpu-limit', message: 'too slow', allowed: 50, used: 61 };
    const shown = withoutFrames(
      entry('cpu-limit: too slow', { kind: 'http', fault: { ...fault, stack: '    at a (src/a.ts:1:2)' } }),
    );
    expect(shown).to.deep.equal(entry('cpu-limit: too slow', { kind: 'http', fault }));
  });

  it('takes frames out of what a plugin wrote, in sources and in the bundle', () => {
    const written = 'failed\n    at pay (src/pay.ts:1:2)\n    at bundle.js:3:4\n    at async src/x.ts:1:1\nlast';
    expect(withoutFrames(entry(written, { list: [written], error: { name: 'E', stack: 's' } }))).to.deep.equal(
      entry('failed\nlast', { list: ['failed\nlast'], error: { name: 'E' } }),
    );
  });

  it('leaves what only mentions a time or a place', () => {
    for (const text of ['we met at 12:30:10', 'at home', 'at (x)', 'look at https://example.com:80/a']) {
      expect(withoutFrames(entry(text, [text])), text).to.deep.equal(entry(text, [text]));
    }
  });
});
