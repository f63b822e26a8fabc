import { RegistryRefusal } from '../errors.ts';
import { pluginName } from '../rules/plugin-name.ts';
import type { Catalogue, RankingTerm } from './contract.ts';
import type { RankingRow, RankingStore } from './ranking-store.ts';

/** Fewer could be recognised by what they do. */
const OPERATORS_MIN = 3;

/** What each term of the formula is computed from. */
const FACTS: Record<RankingTerm['term'], (row: RankingRow) => RankingTerm['facts']> = {
  rating: (row) => ({ ratings: row.ratings, mean: row.ratings > 0 ? row.rating : null, drawnTo: row.expected }),
  operators: ({ operators }) => ({ operators }),
  retention: ({ operators, operatorsEver }) => ({ operators, operatorsEver }),
  uninstalls: ({ operators, uninstalled }) => ({ operators, uninstalledIn30Days: uninstalled }),
  // What few operators do is theirs to tell, as in statistics of publishers.
  faults: ({ operators, invocations, faults }) =>
    operators >= OPERATORS_MIN ? { invocations, faults } : { invocations: null, faults: null },
  recency: ({ ageDays }) => ({ ageDays }),
};

/** Refuses with: plugin-unlisted. */
export const explainRanking =
  ({ rankings }: { rankings: RankingStore }): Catalogue['ranking'] =>
  async (plugin) => {
    const name = pluginName(plugin);
    const row = name && (await rankings.find(name));
    if (!row) throw new RegistryRefusal('plugin-unlisted', undefined, { plugin });
    const { score, place, of } = row;
    const terms = (row.terms as Pick<RankingTerm, 'term' | 'weight' | 'value'>[]).map((each) => ({
      ...each,
      points: each.weight * each.value,
      facts: FACTS[each.term](row),
    }));
    return { plugin, score, place, of, terms };
  };
