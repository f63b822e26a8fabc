import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { OPERATOR_SLUG } from '../../host/demo/people.ts';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin, signPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import { HONEST_KINDS, type HonestKind } from './honest-clients.ts';
import type { OpenedHost } from './host-process.ts';
import { type HostilePlugin, packHostilePlugins } from './hostile-plugins.ts';

interface Installed {
  id: string;
  slug: string;
  /** On the data plane, without a slash at the end. */
  url: string;
}

/** Everything that a soak calls, published, approved and installed over HTTP as people do. */
export interface SoakPlugins {
  honest: (Installed & { kind: HonestKind })[];
  hostile: (Installed & HostilePlugin)[];
  /** Payloads that did not get past publishing or installing: they attack nothing more. */
  refused: string[];
  /** Installs a hostile plugin once more, under an address of its own. */
  again(plugin: HostilePlugin): Promise<Installed>;
}

const PLUGINS = path.join(import.meta.dirname, 'plugins');

/** `honestEach`: installations of each honest plugin; `payloads`: of hostile ones, at most. */
export async function installPlugins(
  { url, credentials }: OpenedHost,
  { honestEach, payloads }: { honestEach: number; payloads: number },
): Promise<SoakPlugins> {
  const [publisher, moderator, operator] = [credentials.publisher, credentials.moderator, credentials.operator].map(
    (token) => createApiClient({ url, token }),
  ) as [Client, Client, Client];
  const { privateKey } = generateKeyPairSync('ed25519');
  await registerKey(publisher)(privateKey, 'soak');

  const install = async ({ plugin, version, manifest }: Release, slug: string): Promise<Installed> => {
    const grants = (manifest.capabilities ?? []).map(({ name }) => name);
    const { id } = await operator.install({ id: uuidv7(), plugin, version, slug, grants });
    return { id, slug, url: `${url}/run/${OPERATOR_SLUG}/${slug}` };
  };

  const honest: SoakPlugins['honest'] = [];
  for (const kind of HONEST_KINDS) {
    const { release } = await publishPlugin(publisher)({ folder: path.join(PLUGINS, kind), privateKey });
    await moderator.approveRelease(release.id);
    for (let number = 1; number <= honestEach; number++) {
      honest.push({ kind, ...(await install(release, `${kind}-${number}`)) });
    }
  }
  const releases = new Map<string, Release>();
  const hostile: SoakPlugins['hostile'] = [];
  const refused: string[] = [];
  let installed = 0;
  const nextSlug = () => `hostile-${++installed}`;
  for (const plugin of await packHostilePlugins(payloads)) {
    try {
      const release = await publisher.publishRelease(plugin.archive, signPlugin(plugin, privateKey));
      releases.set(plugin.name, await moderator.approveRelease(release.id));
      hostile.push({ ...plugin, ...(await install(release, nextSlug())) });
    } catch (error) {
      refused.push(`${plugin.name} (${(error as { code?: string }).code ?? String(error)})`);
    }
  }
  return { honest, hostile, refused, again: ({ name }) => install(releases.get(name)!, nextSlug()) };
}

type Client = ReturnType<typeof createApiClient>;
type Release = Awaited<ReturnType<Client['approveRelease']>>;
