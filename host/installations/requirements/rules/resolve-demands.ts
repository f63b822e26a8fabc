import semver from 'semver';
import { type Candidate, type Demand, fits, nameOf, type Present } from './requirements.ts';

/** What has to be installed along with a release, or why nothing does. */
export type Resolution =
  /** In the order in which to install; those that require each other come one after the other. */
  { steps: (Candidate & { range: string; requiredBy: string })[] } | { conflict: string[] };

interface Choice {
  candidate: Candidate;
  range: string;
  requiredBy: string;
}

/** A demand and who makes it, in words. */
interface Open extends Demand {
  by: string;
}

/** More is not tried: whoever needs it has to say which versions. */
const TRIES_MAX = 1_000;
const SENTENCES_MAX = 8;

/**
 * Chooses a version of everything that a release requires and that no installation provides: the newest first, and back to older ones
 * where two demands do not go together. Complete: where there is a choice that serves all, it is found, and where there is none, the
 * sentences say which demands were in each other's way. What is installed stays as it is.
 */
export function resolveDemands(
  wanted: Candidate,
  present: readonly Present[],
  catalogue: (plugin: string) => readonly Candidate[],
): Resolution {
  const conflict: string[] = [];
  let tries = 0;
  const because = (sentence: string): null => {
    if (!conflict.includes(sentence) && conflict.length < SENTENCES_MAX) conflict.push(sentence);
    return null;
  };
  // Ranges are judged once: a stranger's plugins may require each other in thousands of ways.
  const isFit = once((version, range) => fits(version, { range }));
  const isThere = once((plugin, range) => present.some((each) => each.plugin === plugin && isFit(each.version, range)));
  const fittingOf = once((plugin, range) =>
    catalogue(plugin)
      .filter(({ version }) => isFit(version, range))
      .sort((a, b) => semver.rcompare(a.version, b.version)),
  );
  const search = (open: readonly Open[], chosen: ReadonlyMap<string, Choice>): ReadonlyMap<string, Choice> | null => {
    const [demand, ...rest] = open;
    if (demand === undefined) return chosen;
    const { plugin, range, by } = demand;
    if (isThere(plugin, range)) return search(rest, chosen);
    const already = chosen.get(plugin);
    if (already !== undefined) {
      if (isFit(already.candidate.version, range)) return search(rest, chosen);
      return because(
        `Because ${already.requiredBy} requires ${plugin} ${already.range} and ${by} requires ${plugin} ${range}, ${already.candidate.version} serves only one of them.`,
      );
    }
    const all = catalogue(plugin);
    const fitting = fittingOf(plugin, range);
    if (all.length === 0)
      return because(`Because ${by} requires ${plugin} ${range}, which has no published version, it cannot be had.`);
    if (fitting.length === 0) {
      return because(
        `Because ${by} requires ${plugin} ${range}, and there is only ${versionsText(all)}, it cannot be had.`,
      );
    }
    for (const candidate of fitting) {
      tries += 1;
      if (tries > TRIES_MAX)
        return because('There are too many ways to combine the versions; install what is required by hand.');
      const choice = { candidate, range, requiredBy: by };
      const further = candidate.requires.map((each) => ({ ...each, by: nameOf(candidate) }));
      const found = search([...rest, ...further], new Map([...chosen, [plugin, choice]]));
      if (found !== null) return found;
    }
    return null;
  };
  const first = new Map([[wanted.plugin, { candidate: wanted, range: wanted.version, requiredBy: 'you' }]]);
  const open = wanted.requires.map((each) => ({ ...each, by: nameOf(wanted) }));
  const found = search(open, first);
  return found === null ? { conflict } : { steps: inOrder(wanted, found) };
}

/** Each answer is worked out once. */
function once<Answer>(work: (of: string, range: string) => Answer): typeof work {
  const known = new Map<string, Answer>();
  return (of, range) => {
    const key = `${of} ${range}`;
    if (!known.has(key)) known.set(key, work(of, range));
    return known.get(key)!;
  };
}

const SHOWN_MAX = 5;
const versionsText = (all: readonly Candidate[]): string => {
  const versions = all.map(({ version }) => version).sort(semver.rcompare);
  const more = versions.length > SHOWN_MAX ? ' …' : '';
  return `${versions.slice(0, SHOWN_MAX).join(', ')}${more}`;
};

/** What is required comes before what requires it; a circle is cut where it closes. */
function inOrder(wanted: Candidate, chosen: ReadonlyMap<string, Choice>) {
  const steps: (Candidate & { range: string; requiredBy: string })[] = [];
  const seen = new Set([wanted.plugin]);
  const visit = ({ requires }: Candidate) => {
    for (const { plugin } of requires) {
      const choice = chosen.get(plugin);
      if (choice === undefined || seen.has(plugin)) continue;
      seen.add(plugin);
      visit(choice.candidate);
      steps.push({ ...choice.candidate, range: choice.range, requiredBy: choice.requiredBy });
    }
  };
  visit(wanted);
  return steps;
}
