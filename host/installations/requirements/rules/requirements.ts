import semver from 'semver';
import type { Manifest } from '../../../../plugins-sdk/contract/index.ts';

/** A plugin that another one does not work without. */
export interface Demand {
  /** `<publisher>/<name>`. */
  plugin: string;
  range: string;
}

/** One version of a plugin with its demands. */
export interface Candidate {
  plugin: string;
  version: string;
  requires: readonly Demand[];
}

/** An installation of the operator. */
export interface Present extends Candidate {
  id: string;
  slug: string;
}

/** Optional dependencies demand nothing: the plugin works without them. */
export const demandsOf = ({ dependencies = [] }: Pick<Manifest, 'dependencies'>): Demand[] =>
  dependencies.filter(({ optional }) => !optional).map(({ plugin, range }) => ({ plugin, range }));

export const fits = (version: string, { range }: Pick<Demand, 'range'>): boolean => semver.satisfies(version, range);

export const nameOf = ({ plugin, version }: Candidate): string => `${plugin} ${version}`;
const named = (present: Present): string => `${present.slug} (${nameOf(present)})`;
const needs = ({ plugin, range }: Demand): string => `requires ${plugin} ${range}`;

export interface Unmet extends Demand {
  /** One sentence, which says what is in the way and what to do. */
  message: string;
}

/**
 * Which demands of a release nothing that is installed meets. Several installations of one plugin may stand beside each other, and one
 * that fits is enough. `versionsOf` gives the published versions of a plugin.
 */
export function unmetDemands(
  wanted: Candidate,
  present: readonly Present[],
  versionsOf: (plugin: string) => readonly string[],
): Unmet[] {
  return wanted.requires
    .filter((demand) => !isMet(demand, [...present, { ...wanted, id: '', slug: '' }]))
    .map((demand) => ({ ...demand, message: unmetText(wanted, demand, present, versionsOf(demand.plugin)) }));
}

const isMet = (demand: Demand, present: readonly Candidate[]): boolean =>
  present.some(({ plugin, version }) => plugin === demand.plugin && fits(version, demand));

/** Versions, the newest first, and demands of others: what is said has to be no more exact than it is worth to the host. */
const LOOKED_AT_MAX = 50;

function unmetText(
  wanted: Candidate,
  demand: Demand,
  present: readonly Present[],
  versions: readonly string[],
): string {
  const { plugin, range } = demand;
  const because = `${nameOf(wanted)} ${needs(demand)}`;
  const fitting = versions.filter((version) => fits(version, demand));
  if (fitting.length === 0) return `Because ${because}, and no published version fits that, it cannot be had.`;
  const [first] = present.filter((each) => each.plugin === plugin);
  if (first === undefined) return `${because}, which is not installed: gate install '${plugin}@${range}' --as <slug>`;
  const others = present
    .flatMap((other) =>
      other.requires.filter((each) => each.plugin === plugin).map((each) => ({ other, demand: each })),
    )
    .slice(0, LOOKED_AT_MAX);
  const newest = fitting.toSorted(semver.rcompare).slice(0, LOOKED_AT_MAX);
  const serving = newest.filter((version) => others.every((each) => fits(version, each.demand)));
  const update = `gate update ${first.slug} '${range}'`;
  if (serving.length > 0)
    return `Because ${because}, and ${first.slug} is ${first.version}, it has to come first: ${update}`;
  const rivals = others.filter((each) => !newest.some((version) => fits(version, each.demand)));
  const said = (rivals.length > 0 ? rivals : others).map((each) => `${named(each.other)} ${needs(each.demand)}`);
  return `Because ${because} and ${said.join(' and ')}, no one version of ${plugin} serves all of them; install another beside ${first.slug}: gate install '${plugin}@${range}' --as <slug>`;
}

/**
 * Which demands of others would not be met any more without an installation, or with another version of it; those that are not met now are
 * no reason. Sentences.
 */
export function brokenDemands(leaving: Present, version: string | null, present: readonly Present[]): string[] {
  const others = present.filter(({ id }) => id !== leaving.id);
  const after = version === null ? others : [...others, { ...leaving, version }];
  return others.flatMap((other) =>
    other.requires
      .filter((demand) => demand.plugin === leaving.plugin && isMet(demand, present) && !isMet(demand, after))
      .map((demand) =>
        version === null
          ? `${named(other)} ${needs(demand)}, and nothing else that is installed fits.`
          : `${named(other)} ${needs(demand)}, and ${version} does not fit.`,
      ),
  );
}
