import { expect } from 'chai';
import { jobIn, openTestSandbox, type TestSandbox } from './test-sandbox.ts';

describe('Host calls in flight of real plugins', () => {
  let rig: TestSandbox;
  before(async () => {
    rig = await openTestSandbox({ cordons: 2 });
  });
  after(() => rig.close());

  it('are bounded for an installation over all its invocations, and hold nobody else up', async () => {
    const flood = jobIn(`
      const calls = Array.from({ length: 40 }, (_, at) => ctx.kv.get('k' + at));
      return (await Promise.all(calls)).length;`);
    let inFlight = 0;
    let most = 0;
    let made = 0;
    const answers: (() => void)[] = [];
    const hostCall = () => {
      inFlight += 1;
      made += 1;
      most = Math.max(most, inFlight);
      return new Promise<{ ok: boolean; json: string }>((resolve) => {
        answers.push(() => {
          inFlight -= 1;
          resolve({ ok: true, json: 'null' });
        });
      });
    };
    const limits = { hostCallsInFlight: 8, wallMs: 60_000 };
    const floods = [1, 2].map(() => rig.run(flood, { installation: 'flood', limits, hostCall }));
    while (made < 8) await new Promise((resolve) => setTimeout(resolve, 5));

    const honest = await rig.run(jobIn(`return await ctx.kv.get('a');`), { installation: 'honest', limits });
    expect(honest.status, 'while the others wait').to.equal('completed');
    expect(made).to.equal(8);

    const answering = setInterval(() => answers.shift()?.(), 1);
    const outcomes = await Promise.all(floods);
    clearInterval(answering);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['completed', 'completed']);
    expect(made).to.equal(80);
    expect(most).to.equal(8);
  });
});
