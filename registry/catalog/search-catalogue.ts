import { RegistryRefusal } from '../errors.ts';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { storedText } from '../rules/stored-text.ts';
import type { CatalogueRow, CatalogueStore } from './catalogue-store.ts';
import { CATALOGUE_SORTS, type Catalogue, type CataloguePlugin } from './contract.ts';
import { correctSearch } from './correct-search.ts';
import { listingOf } from './list-plugins.ts';

const CURSOR_PATTERN = new RegExp(`^(?:${CATALOGUE_SORTS.join('|')}) -?[0-9.e+-]{1,30} [0-9a-f-]{36}$`);

/** What everybody may find. Refuses with: cursor-invalid. */
export const searchCatalogue =
  (ports: { catalogue: CatalogueStore }): Catalogue['search'] =>
  async ({ search, sort: wish, ...filter }) => {
    const text = storedText(search ?? '').trim();
    const sort = wish ?? (text === '' ? 'popular' : 'relevance');
    const limit = pageLimit(filter);
    const after = afterOf(cursorKey(filter, CURSOR_PATTERN), sort);
    const correctedSearch = text === '' ? null : await correctSearch(ports.catalogue)(text);
    const rows = await ports.catalogue.search({
      ...filter,
      ...(text !== '' && { search: correctedSearch ?? text }),
      sort,
      after,
      count: limit + 1,
    });
    const page = pageOf(rows, limit, cataloguePluginOf, ({ rank, pluginId }) => `${sort} ${rank} ${pluginId}`);
    return { ...page, correctedSearch };
  };

function afterOf(key: string | null, sort: string): { rank: number; pluginId: string } | null {
  if (key === null) return null;
  const [of, rank, pluginId] = key.split(' ') as [string, string, string];
  if (of !== sort || !Number.isFinite(Number(rank)) || !UUID.test(pluginId))
    throw new RegistryRefusal('cursor-invalid');
  return { rank: Number(rank), pluginId };
}
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Refuses with: plugin-unlisted. */
export const findAlike =
  (ports: { catalogue: CatalogueStore }): Catalogue['alike'] =>
  async (plugin) => {
    const name = pluginName(plugin);
    const rows = name && (await ports.catalogue.alike(name));
    if (!rows) throw new RegistryRefusal('plugin-unlisted', undefined, { plugin });
    return rows.map(cataloguePluginOf);
  };

export const cataloguePluginOf = (row: CatalogueRow): CataloguePlugin => ({
  ...listingOf(row),
  publishedAt: row.publishedAt.toISOString(),
  standing:
    row.score === null
      ? null
      : {
          score: row.score,
          rating: row.ratings ? row.rating : null,
          ratings: row.ratings ?? 0,
          operators: row.operators ?? 0,
        },
});
