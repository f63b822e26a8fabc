import {
  compareVersions,
  newestInRange,
  type Page,
  type PageRequest,
  type Principal,
  type PublishedVersion,
  type Registry,
} from '../../registry/index.ts';
import { isInStage, type StageFacts, stageFacts } from '../rollouts/stagings/rules/in-stage.ts';
import type { StagingStore } from '../rollouts/stagings/staging-store.ts';
import { checkRelease } from './check-installation.ts';
import type { Installation, Installations, Outdated } from './contract.ts';
import { unacceptedWeaknesses } from './guard-signing.ts';
import type { InstallationStore } from './installation-store.ts';
import { compareWith, declaredOf, type MovePorts } from './move-release.ts';
import { brokenBy, unmetOf } from './requirements/check-requirements.ts';

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
      obstacles: [
        ...(await unmetOf(ports, installation.operator.id, release, id)).map(({ message }) => message),
        ...(await brokenBy(ports, installation.operator.id, id, release.version)),
      ],
      weaknesses: await unacceptedWeaknesses(ports, installation, release),
    };
  };

export interface OutdatedPorts {
  store: Pick<InstallationStore, 'page'>;
  registry: Pick<Registry, 'publishedVersions' | 'releaseById'>;
  stagings: Pick<StagingStore, 'ofPlugins'>;
  nowMs(): number;
}

/** The installations of an operator with the releases that they could have. */
export const listOutdated =
  ({ store, registry, stagings, nowMs }: OutdatedPorts): Installations['outdated'] =>
  async (actor: Principal, request: PageRequest): Promise<Page<Outdated>> => {
    const page = await store.page(actor.organisation.id, request);
    const plugins = [...new Set(page.items.map(({ plugin }) => plugin))];
    const published = await registry.publishedVersions(plugins);
    const staged = stageFacts(await stagings.ofPlugins(plugins));
    const items = page.items.map(async (installation): Promise<Outdated> => {
      const { id, slug, plugin, version, releaseId, updates } = installation;
      const versions = published.filter((each) => each.plugin === plugin);
      const newest = (range: string) => {
        const found = newestInRange(range, versions)?.version ?? null;
        return found !== null && compareVersions(found, version) > 0 ? found : version;
      };
      const running = versions.find((each) => each.releaseId === releaseId);
      const releaseState = running ? 'published' : ((await registry.releaseById(releaseId))?.state ?? 'unknown');
      const inRange = updates.follows === null ? null : newest(updates.follows);
      const latest = newestInRange(LATEST, versions)?.version ?? null;
      const coming = versions.find((each) => each.version === inRange && inRange !== version);
      const held = coming === undefined ? null : heldBack(installation, coming, staged.get(coming.releaseId), nowMs());
      const { reason, replacement } = running?.deprecated ?? {};
      const deprecated = reason === undefined ? null : { reason, replacement: replacement ?? null };
      return { installation: { id, slug, plugin }, version, releaseState, deprecated, updates, inRange, latest, held };
    });
    return { items: await Promise.all(items), nextCursor: page.nextCursor };
  };

/** Why the policy has not taken a release yet, as far as time alone will change that. */
function heldBack(
  { id, updates: { delaySeconds } }: Installation,
  { version, publishedAt }: PublishedVersion,
  staging: StageFacts | undefined,
  nowMs: number,
): Outdated['held'] {
  if (staging !== undefined && !isInStage(staging, id)) {
    const has = staging.state === 'rolling' ? `${staging.percents[staging.stage]} % have it` : 'nobody has it yet';
    return { version, reason: `It comes in stages, and ${has}.` };
  }
  const dueMs = Date.parse(publishedAt) + delaySeconds * 1_000;
  if (dueMs <= nowMs) return null;
  return { version, reason: `It arrives on ${new Date(dueMs).toISOString()}, when it has been out for long enough.` };
}
