import type { Principal, Registry } from '../../../registry/index.ts';
import { compareVersions } from '../../../registry/index.ts';
import { HostRefusal } from '../../errors.ts';
import type { Installations } from '../contract.ts';
import { candidateOf, type RequirementPorts } from './check-requirements.ts';
import type { Candidate } from './rules/requirements.ts';
import { resolveDemands } from './rules/resolve-demands.ts';

export interface PlanPorts extends RequirementPorts {
  registry: Pick<Registry, 'publishedVersions' | 'resolveRelease' | 'releaseById'>;
}

/** Older ones are not looked at. */
const VERSIONS_MAX = 20;
const PLUGINS_MAX = 40;

/** What has to be installed along with a release; nothing is installed. */
export const planRequirements =
  (ports: PlanPorts): Installations['planRequirements'] =>
  async (actor: Principal, wish) => {
    const { release } = await ports.registry.resolveRelease(actor, wish);
    const wanted = candidateOf(release);
    const present = await ports.demands.of(actor.organisation.id);
    const catalogue = await readCatalogue(ports, wanted);
    const found = resolveDemands(wanted, present, (plugin) => catalogue.get(plugin) ?? []);
    const { plugin, version } = wanted;
    if ('conflict' in found) {
      throw new HostRefusal('requirements-conflict', found.conflict.join('\n'), { plugin, version, ...found });
    }
    return { plugin, version, steps: found.steps.map(({ requires: _, ...step }) => step) };
  };

/** The newest versions of everything that is required, and of what that requires, and so on. */
async function readCatalogue({ registry }: PlanPorts, wanted: Candidate): Promise<Map<string, Candidate[]>> {
  const catalogue = new Map<string, Candidate[]>();
  let open = wanted.requires.map(({ plugin }) => plugin);
  while (open.length > 0 && catalogue.size < PLUGINS_MAX) {
    const plugins = [...new Set(open)].filter((plugin) => !catalogue.has(plugin) && plugin !== wanted.plugin);
    const published = await registry.publishedVersions(plugins);
    open = [];
    for (const plugin of plugins) {
      const newest = published
        .filter((each) => each.plugin === plugin)
        .sort((a, b) => compareVersions(b.version, a.version))
        .slice(0, VERSIONS_MAX);
      const releases = await Promise.all(newest.map(({ releaseId }) => registry.releaseById(releaseId)));
      const candidates = releases.filter((release) => release !== null).map(candidateOf);
      catalogue.set(plugin, candidates);
      open.push(...candidates.flatMap(({ requires }) => requires.map((each) => each.plugin)));
    }
  }
  return catalogue;
}
