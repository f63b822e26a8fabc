import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { answerOf, codeOf, jobIn, openTestSandbox, type TestSandbox } from '../test-sandbox.ts';
import type { Attack } from './attack.ts';

const files = readdirSync(import.meta.dirname).filter(
  (file) => file.endsWith('.ts') && !/attack\.ts|\.test\.ts/.test(file),
);
const attacks = await Promise.all(files.map(async (file) => (await import(`./${file}`)).default as Attack));
const neighbour = jobIn('const got = await ctx.kv.get("n"); return [got.value, 6 * 7];');

describe('The sandbox', () => {
  let rig: TestSandbox;
  before(async () => {
    rig = await openTestSandbox({ lanesPerCordon: 2 });
  });
  after(() => rig.close());

  for (const { that, code, ends, limits } of attacks) {
    it(`${ends === 'answers' ? 'survives' : 'stops'} a plugin that ${that}, while its neighbours get their answers`, async () => {
      const neighbours = ['east', 'west', 'north', 'south'].map((installation) => rig.run(neighbour, { installation }));
      const outcome = await rig.run(code, { installation: 'attacker', ...(limits ? { limits } : {}) });
      if (ends === 'answers') expect(codeOf(outcome)).to.equal('completed');
      else expect(codeOf(outcome)).to.be.oneOf(ends);
      for (const answer of await Promise.all(neighbours)) expect(answerOf(answer)).to.deep.equal([1, 42]);
      expect(answerOf(await rig.run(neighbour, { installation: 'attacker' }))).to.deep.equal([1, 42]);
      const named = rig.deaths.flatMap(({ culprits }) => culprits.map(({ installationId }) => installationId));
      expect(named.filter((installationId) => installationId !== 'attacker')).to.deep.equal([]);
    });
  }
});
