import semver from 'semver';
import { isVersion } from './plugin-name.ts';
import { compareVersions, newestVersion } from './version.ts';

/** Which release somebody wants: one version for good, or the newest that fits for as long as the wish stands. */
export type VersionWish = { kind: 'exact'; version: string } | { kind: 'range'; range: string };

export const VERSION_WISH_CHARS_MAX = 64;
/** The newest release, without pre-releases as long as there is another. */
export const LATEST = 'latest';

/** Ranges are npm's (`^1.2`, `~1.2.3`, `1.x`, `>=1.2 <2`), `latest`, or the name of a channel. Null for anything else. */
export function readVersionWish(text: string): VersionWish | null {
  const wish = text.trim();
  if (wish === '' || wish.length > VERSION_WISH_CHARS_MAX) return null;
  if (isVersion(wish)) return { kind: 'exact', version: wish };
  // "1.2.3+build" would be read as a range that means one version.
  if (wish.includes('+')) return null;
  return isTag(wish) || wish === LATEST || semver.validRange(wish) !== null ? { kind: 'range', range: wish } : null;
}

const TAG = /^[a-z][a-z0-9-]{1,31}$/;

/** Whether this can be the name of a channel: no range, so that no wish has two meanings, and not `latest`, which is always the newest. */
export const isTag = (text: string): boolean => TAG.test(text) && text !== LATEST && semver.validRange(text) === null;

/**
 * The newest release that a range allows, or null. A pre-release fits only a range that names one of the same version
 * (semver's rule), so that nobody gets one by accident.
 */
export function newestInRange<Item extends { version: string; tags?: readonly string[] }>(
  range: string,
  items: readonly Item[],
): Item | null {
  if (isTag(range)) return items.find(({ tags }) => tags?.includes(range)) ?? null;
  if (range === LATEST) return newestVersion([...items]);
  return items
    .filter(({ version }) => semver.satisfies(version, range))
    .reduce<Item | null>(
      (best, item) => (best === null || compareVersions(item.version, best.version) > 0 ? item : best),
      null,
    );
}
