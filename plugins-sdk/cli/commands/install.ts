import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { Installation, InstallRequest } from '../../../host/installations/contract.ts';
import {
  CAPABILITIES,
  CAPABILITY_NAMES,
  type CapabilityName,
  isCapabilityName,
  type Json,
  type Manifest,
} from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import { findJsonFault } from '../load-project.ts';
import { parsePluginName } from '../plugin-name.ts';
import { readDelay } from '../read-period.ts';
import { columns, fields, oneLine, type Paint } from '../terminal.ts';
import { warnOfRelease } from '../warn-of-release.ts';
import { installRequired } from './install-required.ts';

export interface InstallCommand {
  /** `<publisher>/<name>`, optionally with `@<version>` to stay on, or `@<range>` to follow. */
  plugin: string;
  slug: string;
  grants: CapabilityName[];
  config?: Json;
  updates?: InstallRequest['updates'];
  ignoreRequirements?: boolean;
  /** UUIDv7; the same id again is the same installation. Default: a new one. */
  id?: string;
}

/**
 * Installs a published plugin. Safe to repeat with the same id, which it does itself when the connection breaks.
 * Refuses with: usage, release-unknown, release-not-installable, engine-incompatible, capability-undeclared,
 * grant-missing, config-invalid, installation-slug-taken, installation-id-taken.
 */
export const installPlugin =
  (api: Pick<ApiClient, 'install'>) =>
  async ({ plugin, id = uuidv7(), ...rest }: InstallCommand): Promise<Installation> =>
    api.install({ id, ...parsePluginName(plugin), ...rest });

export interface CapabilityWish {
  name: string;
  reason: string;
  optional?: boolean;
}

/** What a plugin asks for, with its reasons. Refuses with: usage, release-unknown, version-range-unsatisfied. */
export const findWishes =
  (api: Pick<ApiClient, 'findRelease'>) =>
  async (text: string): Promise<CapabilityWish[]> =>
    (await findManifest(api, text)).capabilities ?? [];

async function findManifest(api: Pick<ApiClient, 'findRelease'>, text: string): Promise<Manifest> {
  const { plugin, version = 'latest' } = parsePluginName(text);
  return (await api.findRelease(plugin, version)).manifest;
}

/** Where it may send requests, and which secrets of the operator go there; empty for a plugin that sends none. */
export function reachText(paint: Paint, { fetchHosts = [], secrets = [], capabilities = [] }: Manifest): string {
  if (!capabilities.some(({ name }) => name === 'fetch')) return '';
  const lines = fetchHosts.map((host) => {
    const sent = secrets.filter(({ send }) => send?.hosts.includes(host)).map(({ name }) => name);
    return `  ${oneLine(host)}${sent.length > 0 ? paint('dim', ` with the secret ${oneLine(sent.join(', '))}`) : ''}`;
  });
  return `\nIt can send requests to:\n${lines.join('\n')}`;
}

/** JSON from the command line: the text itself, or the file that it names. Refuses with: usage, file-unreadable. */
export async function readJsonOption(option: string, text: string, cwd: string): Promise<Json> {
  const inline = /^\s*[[{]/.test(text);
  const path = resolve(cwd, text);
  const json = inline
    ? text
    : await readFile(path, 'utf8').catch((error) => {
        throw new CliError('file-unreadable', `${option} ${path} cannot be read: ${error.message}`, { path });
      });
  try {
    // Editors of Windows begin a file with a byte order mark.
    return JSON.parse(json.replace(/^\ufeff/, ''));
  } catch {
    // No word of the text itself, which JSON.parse would quote: it may be a secret.
    const place = (await findJsonFault(json))?.place;
    throw new CliError('usage', `${inline ? option : `${option} ${path}`} is not JSON${place ? `: ${place}` : ''}.`);
  }
}

/** `kv,log` as names. Refuses with: usage. */
export function readGrants(text: string): CapabilityName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => name !== '' && !isCapabilityName(name));
  if (unknown.length === 0) return [...new Set(names.filter(isCapabilityName))];
  throw new CliError(
    'usage',
    `There is no capability "${unknown.join('", "')}"; there are: ${CAPABILITY_NAMES.join(', ')}.`,
  );
}

interface InstallOptions {
  as: string;
  grant?: CapabilityName[];
  grantAll?: true;
  yes?: true;
  config?: string;
  delay?: number;
  withRequired?: true;
  ignoreRequirements?: true;
  id?: string;
}

export function installCommand(cli: Cli): void {
  verb(cli, {
    name: 'install',
    summary: 'Install a published plugin and grant it capabilities',
    examples: [
      'gate install acme-labs/hello-http --as hello --grant log',
      'gate install acme-labs/order-delivery@1.2.0 --as shop --grant kv,log,config --config ./shop.json',
      'gate install acme-labs/order-delivery@^1.2 --as shop --grant kv,log,config   # and follow its updates',
      'gate install acme-labs/shop@^2 --as shop --grant-all --with-required --yes',
      `gate install acme-labs/hello-http --as hello --grant-all --yes --config '{"greeting":"Hi"}'`,
    ],
  })
    .argument('<plugin>', '<publisher>/<name>, optionally with @<version> to stay on it or @<range> to follow it')
    .requiredOption('--as <slug>', 'name of the installation; part of its address')
    .option('--grant <capabilities>', 'what the plugin may use, separated by commas', readGrants)
    .option('--grant-all', 'grant everything that the plugin asks for, after showing it')
    .option('--yes', 'do not ask')
    .option('--config <json>', 'configuration: JSON, or a file with it')
    .option('--delay <time>', 'with a range: how long a release has to be out before it arrives: 12h, 3d', readDelay)
    .option('--with-required', 'install what it requires first, after showing it; grants what that asks for')
    .option('--ignore-requirements', 'install it although something that it requires is not there')
    .option('--id <uuid>', 'id of the installation (UUIDv7), to repeat an earlier attempt')
    .action(
      cli.answer(async (plugin: string, options: InstallOptions) => {
        if (options.grant && options.grantAll) throw new CliError('usage', 'Give --grant or --grant-all, not both.');
        const api = await cli.api();
        const config = options.config && (await readJsonOption('--config', options.config, cli.settings.cwd));
        const along = options.withRequired ? await installRequired(cli, api, plugin, options) : [];
        const grants = options.grant ?? (await chooseGrants(cli, api, plugin, options));
        const installation = await installPlugin(api)({
          plugin,
          slug: options.as,
          grants,
          ...(config === undefined ? {} : { config }),
          ...(options.delay === undefined ? {} : { updates: { delaySeconds: options.delay } }),
          ...(options.ignoreRequirements && { ignoreRequirements: true }),
          ...(options.id === undefined ? {} : { id: options.id }),
        });
        await warnOfRelease(cli, api, installation);
        return {
          value: options.withRequired ? { ...installation, required: along } : installation,
          text: (paint) => [...along, installation].map((each) => installedText(paint, each, api.url)).join('\n'),
        };
      }),
    );
}

async function chooseGrants(
  cli: Cli,
  api: ApiClient,
  plugin: string,
  { grantAll, yes }: InstallOptions,
): Promise<CapabilityName[]> {
  if (!grantAll && !cli.interactive()) return [];
  const manifest = await findManifest(api, plugin);
  const wishes = (manifest.capabilities ?? []).filter(({ name }) => isCapabilityName(name));
  if (wishes.length === 0) return [];
  const names = wishes.map(({ name }) => name as CapabilityName);
  cli.note(wishesText(cli.paint, plugin, wishes) + reachText(cli.paint, manifest));
  if (grantAll && yes) return names;
  if (!cli.interactive()) {
    throw new CliError('confirmation-needed', `${plugin} asks for ${names.join(', ')}; add --yes to grant it.`, {
      wishes,
    });
  }
  const { checkbox, confirm } = await import('@inquirer/prompts');
  if (grantAll) {
    if (await confirm({ message: 'Grant all of this?', default: false })) return names;
    throw new CliError('confirmation-needed', 'Nothing was granted and nothing installed.');
  }
  return checkbox({
    message: 'Grant which?',
    choices: wishes.map(({ name, optional }) => ({ value: name as CapabilityName, checked: !optional })),
  });
}

function wishesText(paint: Paint, plugin: string, wishes: CapabilityWish[]): string {
  const rows = wishes.map(({ name, reason, optional }) => [
    optional ? `${name} (optional)` : name,
    isCapabilityName(name) ? CAPABILITIES[name].purpose : '',
    `“${reason}”`,
  ]);
  return `${oneLine(plugin)} asks for:\n${columns(paint, ['CAPABILITY', 'WHAT IT ALLOWS', "THE PUBLISHER'S REASON"], rows)}`;
}

function installedText(paint: Paint, installation: Installation, url: string): string {
  const { id, plugin, version, slug, operator, grants } = installation;
  return `${paint('green', '✔')} Installed ${plugin}@${version} as "${slug}"\n${fields(paint, [
    ['id', id],
    ['grants', grants.join(', ') || 'none'],
    ['address', `${url}/run/${operator.slug}/${slug}/`],
  ])}`;
}
