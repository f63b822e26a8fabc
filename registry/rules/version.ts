/** A version's precedence by SemVer 2.0.0, section 11. Versions carry no build metadata here. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  return compareLists(a.core, b.core) || compareSuffixes(a.suffix, b.suffix);
}

/** The version to install when none is named: the highest one that is no pre-release, else the highest; null for none. */
export function newestVersion<Item extends { version: string }>(items: Item[]): Item | null {
  const stable = items.filter(({ version }) => !version.includes('-'));
  const candidates = stable.length > 0 ? stable : items;
  return candidates.reduce<Item | null>(
    (best, item) => (best === null || compareVersions(item.version, best.version) > 0 ? item : best),
    null,
  );
}

function partsOf(version: string): { core: string[]; suffix: string[] } {
  const dash = version.indexOf('-');
  return dash < 0
    ? { core: version.split('.'), suffix: [] }
    : { core: version.slice(0, dash).split('.'), suffix: version.slice(dash + 1).split('.') };
}

/** A version without a suffix comes after all of its pre-releases. */
function compareSuffixes(left: string[], right: string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  return compareLists(left, right);
}

function compareLists(left: string[], right: string[]): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const order = compareIdentifiers(left[at]!, right[at]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numbers by value (of any length, so not as JavaScript numbers) and before words; words by their bytes. */
function compareIdentifiers(left: string, right: string): number {
  const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
  if (leftIsNumber && left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
