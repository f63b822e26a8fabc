import { expect } from 'chai';
import { flameGraphOf } from './flame-graph.ts';

const node = (id: number, functionName: string, children: number[] = [], url = '') => ({
  id,
  callFrame: { functionName, url, lineNumber: 0 },
  children,
});

describe('flameGraphOf', () => {
  it('gives every function its share of the work, calls of the same one together, and leaves rest out', () => {
    const profile = {
      nodes: [
        node(1, '(root)', [2, 3, 4, 5]),
        node(2, 'serve', [], 'file:///x/host/serve.ts'),
        node(3, 'serve', [], 'file:///x/host/serve.ts'),
        node(4, 'a<b', [], 'node:net'),
        node(5, '(idle)'),
      ],
      samples: [2, 3, 4, 5],
      timeDeltas: [1_000, 2_000, 1_000, 96_000],
    };
    const picture = flameGraphOf(profile, 'host');
    expect(picture).to.include('host: 0.0 s of work');
    expect(picture).to.include('<title>serve file:///x/host/serve.ts:1 3.0 ms, 75.0 %</title>');
    expect(picture).to.include('<title>a&lt;b node:net:1 1.0 ms, 25.0 %</title>');
    expect(picture).not.to.include('idle');
  });
});
