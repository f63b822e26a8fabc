import { v7 as uuidv7 } from 'uuid';
import { type ApiClient, readPages } from '../../plugins-sdk/cli/api-client.ts';
import { installPlugin } from '../../plugins-sdk/cli/commands/install.ts';
import type { CapabilityName, Json } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../../registry/index.ts';
import type { Installation } from '../installations/contract.ts';
import { OPERATOR_SLUG } from './people.ts';
import type { Stage } from './stage.ts';

/** Shows what a release asks for, with its publisher's reasons, and installs it with exactly that; or finds what is there. */
export async function installStep(
  operator: ApiClient,
  { plugin, version, manifest }: Release,
  { slug, config }: { slug: string; config?: Json },
  stage: Stage,
): Promise<Installation> {
  const known = (await readPages(operator.listInstallations)).find((installation) => installation.slug === slug);
  if (known)
    return stage.step(
      'install',
      async () => known,
      () => `is installed already as ${OPERATOR_SLUG}/${slug}`,
    );
  const wishes = manifest.capabilities ?? [];
  const grants = wishes.map(({ name }) => name) as CapabilityName[];
  await stage.step(
    'consent',
    async () => wishes,
    () => `asks for ${grants.join(', ') || 'nothing'}; sends to ${(manifest.fetchHosts ?? []).join(', ') || 'nobody'}`,
  );
  for (const { name, reason, optional } of wishes) stage.detail(`${name}${optional ? ' (optional)' : ''}: “${reason}”`);
  return stage.step(
    'install',
    () =>
      installPlugin(operator)({
        id: uuidv7(),
        plugin: `${plugin}@${version}`,
        slug,
        grants,
        ...(config !== undefined && { config }),
      }),
    () => `${OPERATOR_SLUG}/${slug}, granted ${grants.join(', ') || 'nothing'}`,
  );
}
