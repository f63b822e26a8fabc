import type { Registry, Release } from '../../../registry/index.ts';
import { HostRefusal } from '../../errors.ts';
import type { DemandStore } from './demand-store.ts';
import { brokenDemands, type Candidate, demandsOf, type Unmet, unmetDemands } from './rules/requirements.ts';

export interface RequirementPorts {
  registry: Pick<Registry, 'publishedVersions'>;
  demands: DemandStore;
}

export const candidateOf = ({
  plugin,
  version,
  manifest,
}: Pick<Release, 'plugin' | 'version' | 'manifest'>): Candidate => ({
  plugin,
  version,
  requires: demandsOf(manifest),
});

/** What a release requires and the operator has not; `leavingId` is the installation that it would take over. */
export async function unmetOf(
  { registry, demands }: RequirementPorts,
  operatorId: string,
  release: Release,
  leavingId: string | null,
): Promise<Unmet[]> {
  const wanted = candidateOf(release);
  if (wanted.requires.length === 0) return [];
  const present = (await demands.of(operatorId)).filter(({ id }) => id !== leavingId);
  const published = await registry.publishedVersions([...new Set(wanted.requires.map(({ plugin }) => plugin))]);
  return unmetDemands(wanted, present, (plugin) =>
    published.filter((each) => each.plugin === plugin).map(({ version }) => version),
  );
}

/** What others would miss without an installation, or with another version of it; null: without it. Sentences. */
export async function brokenBy(
  { demands }: Pick<RequirementPorts, 'demands'>,
  operatorId: string,
  installationId: string,
  version: string | null,
): Promise<string[]> {
  const present = await demands.of(operatorId);
  const leaving = present.find(({ id }) => id === installationId);
  return leaving === undefined ? [] : brokenDemands(leaving, version, present);
}

/** Refuses with: requirements-unmet. */
export async function requireRequirements(
  ports: RequirementPorts,
  operatorId: string,
  release: Release,
  leavingId: string | null,
): Promise<void> {
  const unmet = await unmetOf(ports, operatorId, release, leavingId);
  if (unmet.length === 0) return;
  const { plugin, version } = release;
  const message = unmet.map((each) => each.message).join('\n');
  throw new HostRefusal('requirements-unmet', message, { plugin, version, unmet });
}

/** Refuses with: required-by-others. */
export async function requireNotNeeded(
  ports: RequirementPorts,
  operatorId: string,
  installationId: string,
  version: string | null,
): Promise<void> {
  const reasons = await brokenBy(ports, operatorId, installationId, version);
  if (reasons.length > 0) throw new HostRefusal('required-by-others', reasons.join('\n'), { reasons });
}
