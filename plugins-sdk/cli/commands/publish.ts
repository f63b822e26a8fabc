import type { KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import type { Release } from '../../../registry/index.ts';
import { type DsseEnvelope, keyIdOf, signRelease } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { ServerRefusal } from '../errors.ts';
import { fields } from '../terminal.ts';
import { keyPath, loadKeyFile } from './keygen.ts';
import { type PackedPlugin, packedText, packPlugin } from './pack.ts';

/** Signs what was packed: the statement names publisher, plugin, version and digest. */
export const signPlugin = (
  { manifest, digest }: Pick<PackedPlugin, 'manifest' | 'digest'>,
  privateKey: KeyObject,
): DsseEnvelope =>
  signRelease({ publisher: manifest.publisher, name: manifest.name, version: manifest.version, digest }, privateKey);

/**
 * Packs, signs and publishes the plugin of a folder; the same bytes again are the same release.
 * Refuses with: the codes of packPlugin, release-archive-invalid, release-manifest-invalid, release-signature-invalid,
 * release-version-taken, publisher-foreign.
 */
export const publishPlugin =
  (api: Pick<ApiClient, 'publishRelease'>) =>
  async (command: {
    folder: string;
    privateKey: KeyObject;
  }): Promise<{ packed: PackedPlugin; envelope: DsseEnvelope; release: Release }> => {
    const packed = await packPlugin(command.folder);
    const envelope = signPlugin(packed, command.privateKey);
    return { packed, envelope, release: await api.publishRelease(packed.archive, envelope) };
  };

export function publishCommand(cli: Cli): void {
  verb(cli, {
    name: 'publish',
    summary: 'Pack, sign and publish a plugin',
    examples: ['gate publish', 'gate publish ./my-plugin --dry-run', 'gate publish --key ./release-key.pem --json'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--key <file>', 'private key to sign with (default: keys/<profile>.pem in the settings folder)')
    .option('--dry-run', 'pack and sign, but send nothing')
    .action(
      cli.answer(async (folder: string, options: { key?: string; dryRun?: true }) => {
        const path = options.key
          ? resolve(cli.settings.cwd, options.key)
          : keyPath(cli.settings.configFolder, await cli.profile());
        const privateKey = await loadKeyFile(path);
        const source = { folder: resolve(cli.settings.cwd, folder), privateKey };
        return options.dryRun ? dryRun(source) : sent(await cli.api(), source);
      }),
    );
}

async function dryRun({ folder, privateKey }: { folder: string; privateKey: KeyObject }) {
  const packed = await packPlugin(folder);
  const envelope = signPlugin(packed, privateKey);
  const { archive, manifest: _manifest, ...value } = packed;
  return {
    value: { ...value, archiveBytes: archive.length, envelope, published: false },
    text: (paint: Cli['paint']) =>
      `${packedText(paint, packed)}\n${paint('yellow', 'Nothing was sent')} (--dry-run); signed with key ${keyIdOf(privateKey).slice(0, 16)}…`,
  };
}

async function sent(api: ApiClient, source: { folder: string; privateKey: KeyObject }) {
  const { release } = await publishPlugin(api)(source).catch((error) => {
    throw error instanceof ServerRefusal && error.code === 'release-signature-invalid' ? unregistered(error) : error;
  });
  const { id, plugin, version, state, digest } = release;
  return {
    value: release,
    text: (paint: Cli['paint']) =>
      `${paint('green', '✔')} ${plugin}@${version} is ${state}\n${fields(paint, [
        ['release', id],
        ['digest', digest],
        ['next', state === 'in-review' ? 'a moderator approves or rejects it' : `gate install ${plugin} --as <slug>`],
      ])}`,
  };
}

const unregistered = ({ code, status, message, requestId, facts }: ServerRefusal): ServerRefusal =>
  new ServerRefusal({
    code,
    status,
    requestId,
    facts,
    message: `${message} Register yours with: gate keygen --register`,
  });
