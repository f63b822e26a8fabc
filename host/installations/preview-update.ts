import {
  compareVersions,
  newestInRange,
  type Page,
  type PageRequest,
  type Principal,
  type Registry,
} from '../../registry/index.ts';
import { checkRelease } from './check-installation.ts';
import type { Installation, Installations, Outdated } from './contract.ts';
import { unacceptedWeaknesses } from './guard-signing.ts';
import type { InstallationStore } from './installation-store.ts';
import { compareWith, declaredOf, type MovePorts } from './move-release.ts';

const LATEST = 'latest';

/** What an update would change, without doing it: to a version, or to what waits or what the policy allows. */
export const previewUpdate =
  (ports: MovePorts & { own(actor: Principal, id: string): Promise<Installation> }): Installations['preview'] =>
  async (actor, id, version) => {
    const installation = await ports.own(actor, id);
    const { plugin, grants, updates } = installation;
    const wanted = version ?? updates.waiting?.version ?? updates.canary?.version ?? updates.follows ?? LATEST;
    const { release } = await ports.registry.resolveRelease(actor, { plugin, version: wanted });
    checkRelease(release, ports.hostVersion);
    const diff = await compareWith(ports, installation, release);
    const needed = (release.manifest.capabilities ?? []).filter(({ optional }) => !optional).map(({ name }) => name);
    return {
      ...diff,
      releaseId: release.id,
      grantsMissing: declaredOf(needed, release).filter((name) => !grants.includes(name)),
      weaknesses: await unacceptedWeaknesses(ports, installation, release),
    };
  };

export interface OutdatedPorts {
  store: Pick<InstallationStore, 'page'>;
  registry: Pick<Registry, 'publishedVersions' | 'releaseById'>;
}

/** The installations of an operator with the releases that they could have. */
export const listOutdated =
  ({ store, registry }: OutdatedPorts): Installations['outdated'] =>
  async (actor: Principal, request: PageRequest): Promise<Page<Outdated>> => {
    const page = await store.page(actor.organisation.id, request);
    const published = await registry.publishedVersions([...new Set(page.items.map(({ plugin }) => plugin))]);
    const items = page.items.map(async (installation): Promise<Outdated> => {
      const { id, slug, plugin, version, releaseId, updates } = installation;
      const versions = published.filter((each) => each.plugin === plugin);
      const newest = (range: string) => {
        const found = newestInRange(range, versions)?.version ?? null;
        return found !== null && compareVersions(found, version) > 0 ? found : version;
      };
      const isPublished = versions.some((each) => each.releaseId === releaseId);
      const releaseState = isPublished ? 'published' : ((await registry.releaseById(releaseId))?.state ?? 'unknown');
      const inRange = updates.follows === null ? null : newest(updates.follows);
      const latest = newestInRange(LATEST, versions)?.version ?? null;
      return { installation: { id, slug, plugin }, version, releaseState, updates, inRange, latest };
    });
    return { items: await Promise.all(items), nextCursor: page.nextCursor };
  };
