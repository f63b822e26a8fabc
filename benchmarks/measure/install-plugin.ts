import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { OPERATOR_SLUG } from '../../host/demo/people.ts';
import { createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import type { RunningHost } from './processes.ts';

const PLUGINS = path.resolve(import.meta.dirname, '../plugins');

/**
 * Publishes, approves and installs a plugin of `benchmarks/plugins/` over HTTP; returns its address on the data plane, or those of as
 * many installations as `slugs` has.
 */
export async function installPlugin(host: RunningHost, folder: string): Promise<string> {
  const [address] = await installPlugins(host, folder, [folder]);
  return address!;
}

export async function installPlugins(
  { url, credentials }: RunningHost,
  folder: string,
  slugs: string[],
): Promise<string[]> {
  const clientOf = (role: string) => createApiClient({ url, token: credentials[role]! });
  const { privateKey } = generateKeyPairSync('ed25519');
  const publisher = clientOf('publisher');
  await registerKey(publisher)(privateKey, `bench ${path.basename(folder)}`);
  const { release } = await publishPlugin(publisher)({ folder: path.resolve(PLUGINS, folder), privateKey });
  await clientOf('moderator').approveRelease(release.id);
  const { plugin, version, manifest } = release;
  const grants = (manifest.capabilities ?? []).map(({ name }) => name);
  for (const slug of slugs) await clientOf('operator').install({ id: uuidv7(), plugin, version, slug, grants });
  return slugs.map((slug) => `${url}/run/${OPERATOR_SLUG}/${slug}`);
}
