import type { KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import type { StagingPlan } from '../../../host/rollouts/stagings/contract.ts';
import type { Provenance, Release } from '../../../registry/index.ts';
import { type DsseEnvelope, keyIdOf, signRelease } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { ServerRefusal } from '../errors.ts';
import { loadProject } from '../load-project.ts';
import { readProvenance } from '../read-provenance.ts';
import { findingText, scanPlugin } from '../scan-plugin.ts';
import { fields } from '../terminal.ts';
import { progressBar, type UploadApi, uploadArchive } from '../upload-archive.ts';
import { keyPath, loadKeyFile } from './keygen.ts';
import { keyState } from './keys.ts';
import { type PackedPlugin, packedText, packPlugin } from './pack.ts';
import { EVERY_SECONDS, readEvery, readShares } from './stagings.ts';

/** Signs what was packed: the statement names publisher, plugin, version and digest. */
export const signPlugin = (
  { manifest, digest }: Pick<PackedPlugin, 'manifest' | 'digest'>,
  privateKey: KeyObject,
): DsseEnvelope =>
  signRelease({ publisher: manifest.publisher, name: manifest.name, version: manifest.version, digest }, privateKey);

/**
 * Packs, signs and publishes the plugin of a folder; the same bytes again are the same release.
 * Refuses with: the codes of packPlugin, release-archive-invalid, release-manifest-invalid, release-signature-invalid,
 * release-version-taken, plugin-name-confusable, publisher-foreign.
 */
export const publishPlugin =
  (api: UploadApi) =>
  async (
    command: PublishCommand,
    onProgress?: (sent: number, bytes: number) => void,
  ): Promise<{ packed: PackedPlugin; envelope: DsseEnvelope; release: Release }> => {
    const packed = await packPlugin(command.folder, command);
    const envelope = signPlugin(packed, command.privateKey);
    const plugin = `${packed.manifest.publisher}/${packed.manifest.name}`;
    const release = await uploadArchive(api, { archive: packed.archive, envelope, plugin }, onProgress);
    return { packed, envelope, release };
  };

export interface PublishCommand {
  folder: string;
  privateKey: KeyObject;
  provenance?: Provenance;
}

interface PublishOptions {
  key?: string;
  dryRun?: true;
  provenance?: true;
  builder?: string;
  staged?: number[];
  every: number;
}

export function publishCommand(cli: Cli): void {
  verb(cli, {
    name: 'publish',
    summary: 'Pack, sign and publish a plugin',
    examples: [
      'gate publish',
      'gate publish ./my-plugin --dry-run',
      'gate publish --provenance --builder "$CI_JOB_URL"',
      'gate publish --staged 5,25,50,100 --every 6h',
      'gate publish --key ./release-key.pem --json',
    ],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--key <file>', 'private key to sign with (default: keys/<profile>.pem in the settings folder)')
    .option('--dry-run', 'pack and sign, but send nothing')
    .option('--provenance', 'sign along from which repository and commit this is; nothing may be uncommitted')
    .option('--builder <text>', 'with --provenance: what built it, such as the address of a CI run')
    .option('--staged <shares>', 'let it come to a share of those who follow first: 5,25,50,100', readShares)
    .option('--every <time>', 'with --staged: how long each share is watched: 6h, 1d', readEvery, EVERY_SECONDS)
    .action(
      cli.answer(async (folder: string, options: PublishOptions) => {
        const path = options.key
          ? resolve(cli.settings.cwd, options.key)
          : keyPath(cli.settings.configFolder, await cli.profile());
        const privateKey = await loadKeyFile(path);
        const place = resolve(cli.settings.cwd, folder);
        const provenance = options.provenance && (await readProvenance(place, options.builder));
        const source = { folder: place, privateKey, ...(provenance && { provenance }) };
        if (options.dryRun) return dryRun(source);
        const api = await cli.api();
        if (options.staged)
          await stageFirst(cli, api, place, { percents: options.staged, everySeconds: options.every });
        return sent(api, source, showProgress(cli));
      }),
    );
}

/** Planned before the release is there: an approval may come at once. */
async function stageFirst(cli: Cli, api: ApiClient, folder: string, plan: StagingPlan): Promise<void> {
  const { publisher, name, version } = (await loadProject(folder)).manifest;
  await api.planStaging(`${publisher}/${name}`, version, plan).catch((error) => {
    if (!(error instanceof ServerRefusal) || error.code !== 'plugin-unknown') throw error;
    cli.note('It is the first release, which nobody follows yet: it is not staged.');
  });
}

/** A bar in a terminal, nothing anywhere else. */
function showProgress({ streams, json }: Cli): (sent: number, bytes: number) => void {
  if (json() || streams.err.isTTY !== true) return () => {};
  return (sent, bytes) => streams.err.write(`\r${progressBar(sent, bytes)}${sent === bytes ? '\n' : ''}`);
}

async function dryRun(source: PublishCommand) {
  const packed = await packPlugin(source.folder, source);
  const envelope = signPlugin(packed, source.privateKey);
  const { archive, manifest: _manifest, ...value } = packed;
  const { loadLocalPlugin } = await import('../load-plugin.ts');
  // Looked at, not run: `gate scan` does that.
  const { findings } = await scanPlugin(await loadLocalPlugin(source.folder), { run: false });
  return {
    value: {
      ...value,
      archiveBytes: archive.length,
      envelope,
      provenance: source.provenance ?? null,
      findings,
      published: false,
    },
    text: (paint: Cli['paint']) =>
      `${[packedText(paint, packed), ...findings.map((finding) => findingText(paint, finding))].join('\n')}\n${paint('yellow', 'Nothing was sent')} (--dry-run); signed with key ${keyIdOf(source.privateKey).slice(0, 16)}…`,
  };
}

async function sent(api: ApiClient, source: PublishCommand, onProgress: (sent: number, bytes: number) => void) {
  const { release } = await publishPlugin(api)(source, onProgress).catch(async (error) => {
    if (!(error instanceof ServerRefusal) || error.code !== 'release-signature-invalid') throw error;
    throw unsigned(error, await whichKey(api, keyIdOf(source.privateKey)));
  });
  const { id, plugin, version, state, digest } = release;
  return {
    value: release,
    text: (paint: Cli['paint']) =>
      `${paint('green', '✔')} ${plugin}@${version} is ${state}\n${fields(paint, [
        ['release', id],
        ['digest', digest],
        ['next', nextStep(release)],
      ])}`,
  };
}

/** What its publisher does now; the same bytes may have been published long ago. */
function nextStep({ plugin, version, state }: Release): string {
  const name = `${plugin}@${version}`;
  if (state === 'scanning') return `gate scan --release ${name} follows the scan; then a moderator decides`;
  if (state === 'in-review') return `a moderator decides; gate review show ${name} says how it went`;
  if (state === 'approved') return `gate review publish ${name}`;
  if (state === 'published') return `gate install ${plugin} --as <slug>`;
  if (state === 'yanked') return 'raise the version and publish again: this one was yanked';
  return `gate review show ${name} says why, and what can be done`;
}

/** What can be done about a key that does not sign: one that has ended is not registered anew. */
async function whichKey(api: Pick<ApiClient, 'listKeys'>, keyId: string): Promise<string> {
  // A token that may only publish sees no keys.
  const items = await api.listKeys().then(
    (page) => page.items,
    () => [],
  );
  const key = items.find((each) => each.keyId === keyId);
  if (key === undefined) return 'Register yours with: gate keygen --register';
  const state = keyState(key, Date.now());
  if (state.startsWith('signs')) return '';
  return `Yours, ${keyId.slice(0, 16)}…, is ${state}. Sign with another: gate publish --key <file>`;
}

const unsigned = ({ code, status, message, requestId, facts }: ServerRefusal, advice: string): ServerRefusal =>
  new ServerRefusal({ code, status, requestId, facts, message: `${message} ${advice}`.trim() });
