import { expect } from 'chai';
import { verdictsOf } from './report.ts';
import { runSoak } from './run-soak.ts';

describe('A short soak', () => {
  it('loses no honest request, repeats no effect, and blames only plugins that are hostile', async () => {
    const lines: string[] = [];
    const findings = await runSoak({
      minutes: 0.35,
      seed: 1,
      killsPerMinute: 60,
      attackers: 1,
      cordons: 2,
      lanesPerCordon: 1,
      honestEach: 1,
      payloads: 40,
      pauseMs: 25,
      tell: (line) => lines.push(line),
    });
    const missed = verdictsOf(findings).filter(({ hard, met }) => hard && !met);
    expect(missed, `${JSON.stringify(findings.failures.slice(0, 5))}\n${lines.join('\n')}`).to.deep.equal([]);
    expect(findings.honest.right).to.be.above(100);
    expect(findings.kills).to.be.above(3);
    expect(findings.deaths).to.be.at.least(findings.kills);
    expect(findings.hostile.n).to.be.above(5);
    expect(findings.counters.checked).to.equal(3);
  }).timeout(240_000);
});
