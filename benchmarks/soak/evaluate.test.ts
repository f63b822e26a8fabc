import { expect } from 'chai';
import { evaluate, type Observed } from './evaluate.ts';
import type { HonestKind } from './honest-clients.ts';
import { LOST, RIGHT, WRONG } from './honest-process.ts';
import { verdictsOf } from './report.ts';

type Row = [client: number, sentAtMs: number, tookMs: number, verdict: number];

/** Two clients, a quiet second and a second of attack, unless the test says otherwise. */
function observed(rows: Row[], more: Partial<Observed> = {}): Observed {
  const client = (kind: HonestKind, name: string) => ({ kind, name, url: '', token: '', installationId: `of ${name}` });
  return {
    phases: [
      { name: 'quiet', fromMs: 0, untilMs: 1_000 },
      { name: 'attack', fromMs: 1_000, untilMs: 2_000 },
    ],
    clients: [client('arithmetic', 'c0'), client('counter', 'c1')],
    honest: {
      client: Uint16Array.from(rows, ([each]) => each),
      sentAtMs: Float64Array.from(rows, ([, sentAtMs]) => sentAtMs),
      tookMs: Float64Array.from(rows, ([, , tookMs]) => tookMs),
      verdict: Uint8Array.from(rows, ([, , , verdict]) => verdict),
      deferred: 0,
      failures: [],
    },
    hostile: [],
    hostileIds: new Set(['villain']),
    kills: [],
    deaths: [],
    strikes: [],
    samples: [],
    weights: null,
    counted: null,
    hostDeath: null,
    complaints: [],
    ...more,
  };
}

const missed = (seen: Observed) =>
  verdictsOf(evaluate(seen))
    .filter(({ hard, met }) => hard && !met)
    .map(({ what }) => what);

describe('evaluate', () => {
  it('compares each kind of plugin under attack with itself in quiet, and takes the worst', () => {
    const { latency, worstRatio } = evaluate(
      observed([
        [0, 10, 2, RIGHT],
        [1, 10, 40, RIGHT],
        [0, 1_010, 8, RIGHT],
        [1, 1_010, 60, RIGHT],
      ]),
    );
    expect(latency.map(({ kind, ratio }) => [kind, ratio])).to.deep.equal([
      ['arithmetic', 4],
      ['counter', 1.5],
    ]);
    expect(worstRatio).to.equal(4);
  });

  it('adds up phases of one name', () => {
    const rows: Row[] = [
      [0, 10, 2, RIGHT],
      [0, 1_010, 4, RIGHT],
      [0, 2_010, 6, RIGHT],
      [0, 3_010, 8, WRONG],
    ];
    const phases: Observed['phases'] = (['quiet', 'attack', 'quiet', 'attack'] as const).map((name, at) => ({
      name,
      fromMs: at * 1_000,
      untilMs: (at + 1) * 1_000,
    }));
    const [arithmetic] = evaluate(observed(rows, { phases })).latency;
    expect(arithmetic!.phases.quiet).to.include({ n: 2, maxMs: 6 });
    expect(arithmetic!.phases.attack).to.include({ n: 1, maxMs: 4 });
  });

  it('measures how long nobody, and how long somebody, had no answer after a kill', () => {
    const kills: Observed['kills'] = [{ pid: 1, kind: 'pool', atMs: 100, phase: 'siege' }];
    const rows: Row[] = [
      [0, 10, 5, RIGHT],
      [1, 90, 17, RIGHT],
      [0, 95, 60, RIGHT],
    ];
    const { gaps } = evaluate(observed(rows, { kills }));
    expect(gaps.siege!.first.medianMs).to.equal(7);
    expect(gaps.siege!.everybody.medianMs).to.equal(55);
    expect(evaluate(observed(rows, { kills: [{ ...kills[0]!, kind: 'spare' }] })).gaps).to.deep.equal({});
  });

  it('finds effects that were repeated, and effects that are missing, but forgives what was lost', () => {
    const rows: Row[] = [
      [1, 10, 5, RIGHT],
      [1, 20, 5, LOST],
    ];
    const count = (before: number, after: number) =>
      evaluate(
        observed(rows, {
          counted: [
            { installationId: 'of c1', key: 'c1/before', value: before },
            { installationId: 'of c1', key: 'c1/after', value: after },
          ],
        }),
      ).counters;
    expect(count(1, 2)).to.deep.equal({ checked: 2, repeated: 0, missing: 0 });
    expect(count(3, 0)).to.deep.equal({ checked: 2, repeated: 1, missing: 1 });
  });

  it('fails for a request that was lost or wrong, a dead host, a strike against an honest plugin', () => {
    expect(missed(observed([[0, 10, 5, RIGHT]]))).to.deep.equal([]);
    expect(missed(observed([[0, 10, 5, LOST]]))).to.deep.equal(['honest requests lost']);
    expect(missed(observed([[0, 10, 5, WRONG]]))).to.deep.equal(['honest requests answered wrong']);
    expect(missed(observed([], { hostDeath: 'host-process ended with SIGSEGV' }))).to.deep.equal(['host deaths']);
    const strikes = [{ installationId: 'of c0', verdict: 'counted' }];
    expect(missed(observed([], { strikes }))).to.deep.equal(['honest plugins blamed']);
  });
});
