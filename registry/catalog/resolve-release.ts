import type { Registry, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { compareVersions } from '../rules/version.ts';
import { LATEST, newestInRange, readVersionWish } from '../rules/version-range.ts';
import type { VersionStore } from './version-store.ts';

export interface ResolvePorts {
  versions: VersionStore;
  findRelease: Registry['findRelease'];
  releaseById: Registry['releaseById'];
  /** In any state; null where there is none. */
  releaseByVersion(name: { publisher: string; name: string; version: string }): Promise<Release | null>;
}

const SHOWN_VERSIONS_MAX = 20;
/** Of these, as many as a sentence bears. */
const NAMED_VERSIONS_MAX = 5;

/** The release that a wish names. Refuses with: release-unknown, version-range-invalid, version-range-unsatisfied. */
export const resolveRelease =
  (ports: ResolvePorts): Registry['resolveRelease'] =>
  async (actor, { plugin, version }) => {
    if (version === undefined) return { release: await newestRelease(ports, actor, plugin), range: null };
    const wish = readVersionWish(version);
    if (wish === null) {
      const message = `"${version}" is neither a version nor a range of versions.`;
      throw new RegistryRefusal('version-range-invalid', message, { version });
    }
    if (wish.kind === 'exact') return { release: await exactRelease(ports, actor, plugin, wish.version), range: null };
    const { range } = wish;
    const published = await publishedVersions(ports)([plugin]);
    if (published.length === 0) throw new RegistryRefusal('release-unknown', undefined, { plugin, version });
    const newest = newestInRange(range, published);
    const release = newest && (await ports.releaseById(newest.releaseId));
    if (release) return { release, range };
    const versions = published.map((each) => each.version).sort(compareVersions);
    const shown = versions.reverse().slice(0, SHOWN_VERSIONS_MAX);
    const others = versions.length - NAMED_VERSIONS_MAX;
    const named = `${shown.slice(0, NAMED_VERSIONS_MAX).join(', ')}${others > 0 ? ` and ${others} older` : ''}`;
    const message = `No published release of ${plugin} fits ${range}; there are: ${named}.`;
    const facts = { plugin, range, published: shown };
    throw new RegistryRefusal('version-range-unsatisfied', message, facts);
  };

/** The newest; where its staging was stopped by a host that did not decide on the newest anew, the newest of the others. */
async function newestRelease(ports: ResolvePorts, actor: Parameters<Registry['findRelease']>[0], plugin: string) {
  const found = await ports.findRelease(actor, { plugin });
  const published = await publishedVersions(ports)([plugin]);
  if (published.length === 0 || published.some(({ releaseId }) => releaseId === found.id)) return found;
  return (await ports.releaseById(newestInRange(LATEST, published)!.releaseId)) ?? found;
}

/** A yanked release was seen by everybody once: whoever asks for it learns that it is yanked, not that it never was. */
async function exactRelease(
  ports: ResolvePorts,
  actor: Parameters<Registry['findRelease']>[0],
  plugin: string,
  version: string,
) {
  const named = pluginName(plugin);
  const found = named && (await ports.releaseByVersion({ ...named, version }));
  return found?.state === 'yanked' ? found : ports.findRelease(actor, { plugin, version });
}

/** Names that cannot be those of plugins have no versions. */
export const publishedVersions =
  ({ versions }: Pick<ResolvePorts, 'versions'>): Registry['publishedVersions'] =>
  (plugins) =>
    versions.published(plugins.map(pluginName).filter((name) => name !== null));
