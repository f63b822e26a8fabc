import { expect } from 'chai';
import { jobIn } from './attack.ts';
import { answerOf, type Rig } from './rig.ts';

/** Computes, counts in its store, and says whether its world is as the language defines it. */
const CODE = jobIn(`
  const { value } = await ctx.kv.increment('count');
  let sum = 0;
  for (let n = 1; n <= 1_000; n += 1) sum += n;
  const sane = [3, 1, 2].sort().join() === '1,2,3' && JSON.stringify({ a: [1] }) === '{"a":[1]}'
    && Object.keys(Object.prototype).length === 0 && typeof globalThis.stolen === 'undefined';
  const kept = await ctx.kv.list();
  return { value, sum, sane, keys: kept.entries.map(({ key }) => key) };`);

/** An honest installation; every answer is compared with the only right one, which counts its invocations exactly. */
export function openNeighbour(rig: Rig, installation: string) {
  const tally = { answered: 0, wrong: [] as unknown[], lost: [] as string[] };
  let asked = 0;
  const ask = async (): Promise<void> => {
    const value = ++asked;
    try {
      const { outcome } = await rig.run({ code: CODE, installation, limits: { wallMs: 600_000 } });
      const answer = answerOf(outcome);
      const right = { value, sum: 500_500, sane: true, keys: ['count'] };
      if (JSON.stringify(answer) === JSON.stringify(right)) tally.answered++;
      else tally.wrong.push(answer);
    } catch (error) {
      tally.lost.push(String(error));
    }
  };
  return { tally, ask };
}

export type Neighbour = ReturnType<typeof openNeighbour>;

export function expectUnharmed({ tally }: Neighbour): void {
  expect(tally.wrong, 'wrong answers').to.deep.equal([]);
  expect(tally.lost, 'lost answers').to.deep.equal([]);
}
