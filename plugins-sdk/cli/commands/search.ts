import { InvalidArgumentError } from 'commander';
import type {
  CatalogueFilter,
  CataloguePage,
  CataloguePlugin,
  CatalogueSort,
  Ranking,
} from '../../../registry/index.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

const SHOWN_MAX = 20;
const SORTS: readonly CatalogueSort[] = ['relevance', 'popular', 'rating', 'newest', 'updated'];

type SearchOptions = Pick<CatalogueFilter, 'category' | 'kind' | 'price' | 'sort'> & {
  without?: string;
  limit?: number;
  explain?: true;
};

/** Plugins of the marketplace, the best first; `correctedSearch` is what was searched for instead. */
export const searchPlugins =
  (api: Pick<ApiClient, 'searchCatalogue'>) =>
  async (
    search: string,
    { limit = SHOWN_MAX, explain: _, ...filter }: SearchOptions,
  ): Promise<Omit<CataloguePage, 'nextCursor'>> => {
    let correctedSearch: string | null = null;
    const items = await readPages(async (page) => {
      const found = await api.searchCatalogue({ ...filter, ...(search !== '' && { search }), ...page });
      correctedSearch = found.correctedSearch;
      return found;
    }, limit);
    return { items, correctedSearch };
  };

export const starsText = ({ standing }: CataloguePlugin): string =>
  standing?.rating ? `${standing.rating.toFixed(1)} (${standing.ratings})` : '-';

export function foundText(paint: Paint, { items, correctedSearch }: Omit<CataloguePage, 'nextCursor'>): string {
  const corrected = correctedSearch === null ? [] : [`Searched for "${oneLine(correctedSearch)}" instead.`];
  if (items.length === 0) return [...corrected, 'There are no such plugins.'].join('\n');
  const rows = items.map((each) => [
    each.plugin,
    each.latestVersion,
    each.pricing === null || each.pricing === undefined ? 'free' : each.pricing.model,
    starsText(each),
    String(each.standing?.operators ?? 0),
    oneLine(each.title),
  ]);
  return [...corrected, columns(paint, ['PLUGIN', 'VERSION', 'PRICE', 'STARS', 'OPERATORS', 'TITLE'], rows)].join('\n');
}

const FACT_NAMES: Record<string, string> = {
  ratings: 'ratings',
  mean: 'mean of the stars',
  drawnTo: 'with those that it is drawn to',
  operators: 'operators have it',
  operatorsEver: 'ever had it',
  uninstalledIn30Days: 'uninstalled in 30 days',
  invocations: 'invocations in 30 days',
  faults: 'failed',
  ageDays: 'days old',
};

/** Each term of a score, with its weight and what it was computed from. */
export function rankingText(paint: Paint, { plugin, score, place, of, terms }: Ranking): string {
  const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  const factsOf = (facts: Ranking['terms'][number]['facts']) =>
    Object.entries(facts)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${number(value!)} ${FACT_NAMES[name] ?? name}`)
      .join(', ');
  const rows = terms.map(({ term, weight, value, points, facts }) => [
    `  ${term}`,
    `${Math.round(weight * 100)} %`,
    value.toFixed(3),
    points.toFixed(3),
    factsOf(facts),
  ]);
  const head = `${paint('bold', plugin)}: ${score.toFixed(3)}, place ${place} of ${of} by score`;
  return `${head}\n${columns(paint, ['  TERM', 'WEIGHT', 'VALUE', 'POINTS', 'FROM'], rows)}`;
}

export function searchCommand(cli: Cli): void {
  verb(cli, {
    name: 'search',
    summary: 'Search the marketplace',
    examples: [
      'gate search delivery of keys',
      'gate search 快递 --price free --without fetch,queue',
      'gate search --category gaming --sort newest --json',
      'gate search keys --limit 3 --explain',
    ],
  })
    .argument('[words...]', 'every word has to be found; slips are put right')
    .option('--category <category>', 'only one category')
    .option('--kind <kind>', 'plugin or game')
    .option('--price <price>', 'free or paid')
    .option('--without <capabilities>', 'only plugins that ask for none of these, such as fetch,queue')
    .option('--sort <order>', SORTS.join(', '))
    .option('--explain', 'show each term of the score of what was found')
    .option('--limit <count>', `how many to show; default ${SHOWN_MAX}`, readCount)
    .action(
      cli.answer(async (words: string[], options: SearchOptions) => {
        const api = await cli.api({ anonymous: true });
        const found = await searchPlugins(api)(words.join(' '), options);
        if (!options.explain) return { value: found, text: (paint) => foundText(paint, found) };
        const rankings: Ranking[] = [];
        for (const { plugin } of found.items) rankings.push(await api.ranking(plugin));
        return {
          value: { ...found, rankings },
          text: (paint) => [foundText(paint, found), ...rankings.map((each) => rankingText(paint, each))].join('\n\n'),
        };
      }),
    );
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('It is a whole number from 1 to 1000.');
}
