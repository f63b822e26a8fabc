import { expect } from 'chai';
import { explainRanking } from './explain-ranking.ts';

const row = {
  ...{ score: 0.5, place: 1, of: 2, ratings: 0, rating: 0, expected: 3.5, operatorsEver: 3, uninstalled: 0 },
  ...{ invocations: 4_000, faults: 12, ageDays: 1, terms: [{ term: 'faults', weight: 0.05, value: 0.9 }] },
};

describe('the ranking of a plugin, explained', () => {
  const factsWith = async (operators: number) => {
    const explain = explainRanking({ rankings: { find: async () => ({ ...row, operators }) } });
    return (await explain('acme/lamp')).terms[0]!.facts;
  };

  it('tells how much a plugin is used where three operators do, and not what one or two of them do', async () => {
    expect(await factsWith(3)).to.deep.equal({ invocations: 4_000, faults: 12 });
    for (const operators of [0, 1, 2]) {
      expect(await factsWith(operators)).to.deep.equal({ invocations: null, faults: null });
    }
  });
});
