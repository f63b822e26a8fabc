import type { PluginListing, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { storedText } from '../rules/stored-text.ts';
import type { ListedPlugin, ListingStore } from './listing-store.ts';

/** Every plugin that has a published release, by name, with its newest one. Refuses with: cursor-invalid. */
export const listPlugins =
  (ports: { listings: ListingStore }): Registry['listPlugins'] =>
  async (filter) => {
    const limit = pageLimit(filter);
    const key = cursorKey(filter, /^[a-z0-9/-]+$/);
    const after = key === null ? null : pluginName(key);
    if (key !== null && after === null) throw new RegistryRefusal('cursor-invalid');
    const search = storedText(filter.search ?? '').trim();
    const rows = await ports.listings.list({ search, after, count: limit + 1 });
    return pageOf(rows, limit, listingOf, ({ publisher, name }) => `${publisher}/${name}`);
  };

export const listingOf = ({ publisher, name, version, manifest }: ListedPlugin): PluginListing => ({
  plugin: `${publisher}/${name}`,
  title: manifest.title,
  description: manifest.description,
  category: manifest.category,
  kind: manifest.kind,
  latestVersion: version,
  capabilities: manifest.capabilities ?? [],
  pricing: manifest.pricing ?? null,
});
