import { InvalidArgumentError } from 'commander';
import type { CatalogueFilter, CataloguePage, CataloguePlugin, CatalogueSort } from '../../../registry/index.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { columns, oneLine, type Paint } from '../terminal.ts';

const SHOWN_MAX = 20;
const SORTS: readonly CatalogueSort[] = ['relevance', 'popular', 'rating', 'newest', 'updated'];

type SearchOptions = Pick<CatalogueFilter, 'category' | 'kind' | 'price' | 'sort'> & {
  without?: string;
  limit?: number;
};

/** Plugins of the marketplace, the best first; `correctedSearch` is what was searched for instead. */
export const searchPlugins =
  (api: Pick<ApiClient, 'searchCatalogue'>) =>
  async (
    search: string,
    { limit = SHOWN_MAX, ...filter }: SearchOptions,
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

export function searchCommand(cli: Cli): void {
  verb(cli, {
    name: 'search',
    summary: 'Search the marketplace',
    examples: [
      'gate search inventory of keys',
      'gate search 快递 --price free --without fetch,queue',
      'gate search --category gaming --sort newest --json',
    ],
  })
    .argument('[words...]', 'every word has to be found; slips are put right')
    .option('--category <category>', 'only one category')
    .option('--kind <kind>', 'plugin or game')
    .option('--price <price>', 'free or paid')
    .option('--without <capabilities>', 'only plugins that ask for none of these, such as fetch,queue')
    .option('--sort <order>', SORTS.join(', '))
    .option('--limit <count>', `how many to show; default ${SHOWN_MAX}`, readCount)
    .action(
      cli.answer(async (words: string[], options: SearchOptions) => {
        const value = await searchPlugins(await cli.api())(words.join(' '), options);
        return { value, text: (paint) => foundText(paint, value) };
      }),
    );
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('It is a whole number from 1 to 1000.');
}
