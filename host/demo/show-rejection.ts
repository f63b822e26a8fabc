import path from 'node:path';
import { ServerRefusal } from '../../plugins-sdk/cli/errors.ts';
import { readArchive } from '../../registry/index.ts';
import { RoleRefused } from '../roles/role.ts';
import { decidedRelease, type PublishPorts, packStep, publishStep } from './publish-steps.ts';

const FOLDER = path.join(import.meta.dirname, 'plugins', 'coupon-finder');
const HOST = 'collector.example.net';

/** A release that does what it does not say: the scan finds it, nobody can overlook it, and a moderator says why not. */
export async function showRejection(ports: PublishPorts): Promise<void> {
  const { publisher, moderator, stage } = ports;
  stage.chapter('A plugin that says less than it does');
  const packed = await packStep(FOLDER, stage);
  const known = await decidedRelease(publisher, packed);
  const id = known?.id ?? (await publishStep(ports, packed)).release.id;
  if (known === null) {
    await stage.step(
      'approve',
      () =>
        moderator.decideReview(id, { decision: 'approve', reasons: [] }).then(
          () => {
            throw new RoleRefused(`${packed.plugin} was approved although its scan asks for a second look.`);
          },
          (error: unknown) => {
            if (error instanceof ServerRefusal && error.code === 'scan-unacknowledged') return error;
            throw error;
          },
        ),
      ({ code, status }) => `${status} ${code}: not before somebody has answered for the findings`,
    );
    const { code } = await readArchive(packed.archive);
    const line = code.split('\n').findIndex((each) => each.includes(HOST)) + 1;
    const message = `Nothing says that guests are reported to ${HOST}.`;
    const reason = { code: 'undeclared-host' as const, message, evidence: [{ file: 'bundle.js', line }] };
    await stage.step(
      'reject',
      () => moderator.decideReview(id, { decision: 'reject', reasons: [reason] }),
      ({ state }) => `${state}: ${reason.code}`,
    );
  } else
    await stage.step(
      'reject',
      async () => known,
      ({ state }) => `is ${state} already`,
    );
  // As its publisher reads it: `gate review show`.
  const [newest] = (await publisher.findReview(id)).rounds;
  for (const { code, message, evidence } of newest?.reasons ?? []) {
    stage.detail(`${code}: ${message}`);
    for (const { file, line, text } of evidence) stage.detail(`  ${file}:${line} ${text?.trim() ?? ''}`);
  }
}
