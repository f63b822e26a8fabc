import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { type PackedPlugin, packPlugin } from '../../plugins-sdk/cli/commands/pack.ts';
import { signPlugin } from '../../plugins-sdk/cli/commands/publish.ts';
import { followScan } from '../../plugins-sdk/cli/commands/scan.ts';
import { verifyArchive } from '../../plugins-sdk/cli/transparency/verify-archive.ts';
import { progressBar, uploadArchive } from '../../plugins-sdk/cli/upload-archive.ts';
import { CHECKLIST, type Release, type Scan } from '../../registry/index.ts';
import { RoleRefused } from '../roles/role.ts';
import type { Stage } from './stage.ts';

export interface PublishPorts {
  publisher: ApiClient;
  moderator: ApiClient;
  signingKey: KeyObject;
  stage: Stage;
}

export const packStep = (folder: string, stage: Stage): Promise<PackedPlugin> =>
  stage.step(
    'pack',
    () => packPlugin(folder),
    ({ plugin, version, archive, digest }) =>
      `${plugin}@${version}, ${kilobytes(archive.length)}, sha256 ${short(digest)}`,
  );

/** What an earlier demo published under this version; null where there is nothing, or nobody has decided about it yet. */
export async function decidedRelease(publisher: ApiClient, packed: PackedPlugin): Promise<Release | null> {
  const { items } = await publisher.listReleases({ plugin: packed.plugin });
  const known = items.find(({ version }) => version === packed.version);
  return known === undefined || ['scanning', 'in-review'].includes(known.state) ? null : known;
}

/** Signs, publishes and has it scanned; every finding is shown where its author finds it. */
export async function publishStep(
  { publisher, signingKey, stage }: PublishPorts,
  packed: PackedPlugin,
): Promise<{ release: Release; scan: Scan }> {
  const envelope = await stage.step(
    'sign',
    async () => signPlugin(packed, signingKey),
    ({ signatures }) => `DSSE envelope by key ${short(signatures[0]!.keyid)}`,
  );
  const release = await stage.step(
    'publish',
    (tell) =>
      uploadArchive(publisher, { archive: packed.archive, envelope }, (sent, bytes) => tell(progressBar(sent, bytes))),
    ({ state, id }) => `${state}, release ${id}, ${kilobytes(packed.archive.length)} sent`,
  );
  const scan = await stage.step(
    'scan',
    (tell) => followScan(publisher)(release.id, ({ percent, stage: part }) => tell(`${percent} % ${part}`)),
    ({ report }) => {
      const { verdict, findings, omitted, dynamic } = report!;
      const ran = dynamic && `ran ${counted(dynamic.entries, 'handler')}, saw ${namesOf(dynamic.capabilities)}`;
      return `${verdict}, ${counted(findings.length + omitted, 'finding')}${ran ? `; ${ran}` : ''}`;
    },
  );
  for (const { severity, family, place, explanation } of scan.report!.findings)
    stage.detail(`${severity} ${family} ${place ? `${place.file}:${place.line} ` : ''}${explanation}`);
  return { release, scan };
}

/** A moderator takes it, looks at every item of the list, and approves it; then the log is asked for the proof. */
export async function approveStep({ moderator, stage }: PublishPorts, { id }: Release): Promise<Release> {
  await stage.step(
    'review',
    async () => {
      await moderator.assignReview(id, 'me');
      const fine = Object.fromEntries(CHECKLIST.map((item) => [item, { verdict: 'fine' }]));
      await moderator.checkReview(id, fine);
      return moderator.findReview(id);
    },
    ({ comparison }) => {
      const { capabilities, hosts, routes } = comparison!;
      const { previousVersion } = comparison!;
      const since = previousVersion === null ? 'its first release' : `since ${previousVersion}`;
      return `${CHECKLIST.length} items fine; ${since}: capabilities +${capabilities.added.length}, hosts +${hosts.added.length}, routes +${routes.added.length}`;
    },
  );
  return stage.step(
    'approve',
    () => moderator.decideReview(id, { decision: 'approve', reasons: [] }),
    (approved) => `${approved.state}, countersigned by ${short(approved.envelope.signatures.at(-1)!.keyid)}`,
  );
}

/** Verifies the archive by its proof, as `gate verify` does without a network. */
export async function proofStep(client: ApiClient, packed: PackedPlugin, stage: Stage): Promise<void> {
  await stage.step(
    'log',
    async () => {
      const [proof, { publicKeyPem }] = await Promise.all([client.proveRelease(packed.digest), client.transparency()]);
      const verified = await verifyArchive(packed.archive, proof, createPublicKey(publicKeyPem));
      const wrong = verified.steps.find(({ passed }) => !passed);
      if (wrong) throw new RoleRefused(`${packed.plugin}@${packed.version} is not proven: ${wrong.message}`);
      return { proof, count: verified.steps.length };
    },
    ({ proof: { approval, head }, count }) =>
      `entry ${approval.index} of ${head.size}, inclusion proven by ${counted(approval.path.length, 'sibling')}; ${count} checks passed offline`,
  );
}

export const short = (hex: string): string => `${hex.slice(0, 12)}…`;
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const namesOf = (names: readonly string[]): string => names.join(', ') || 'no capability';
