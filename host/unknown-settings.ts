const PREFIX = 'GATEHOUSE_';
/** Settings of `gate`, which may be set where a host runs, too; see plugins-sdk/cli/settings.ts. */
const OF_GATE = ['GATEHOUSE_CONFIG', 'GATEHOUSE_TOKEN', 'GATEHOUSE_URL'];
/** Kubernetes sets these for every pod beside a service that is called `gatehouse`. */
const OF_KUBERNETES = /^GATEHOUSE_(?:SERVICE_HOST|SERVICE_PORT|PORT_\d)/;
const EDITS_MAX = 3;

/** A sentence for each variable that is named like a setting and is none, as misspelt ones are. Repeats no value. */
export function unknownSettings(names: readonly string[], known: readonly string[]): string[] {
  const all = [...known, ...OF_GATE];
  return names
    .filter((name) => name.startsWith(PREFIX) && !all.includes(name) && !OF_KUBERNETES.test(name))
    .map((name) => {
      const near = nearest(name, known);
      return `${name} is no setting and changes nothing${near === null ? '.' : `; is ${near} meant?`}`;
    });
}

/** Null where more would have to be changed than half of the name. */
function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.min(EDITS_MAX, Math.floor((name.length - PREFIX.length) / 2)) + 1;
  for (const each of known) {
    const edits = editsBetween(name, each);
    if (edits < fewest) [best, fewest] = [each, edits];
  }
  return best;
}

/** Characters to add, remove or replace (Wagner and Fischer). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const kept = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(kept, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
