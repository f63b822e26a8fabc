import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Installation, InstallationLogEntry } from '../installations/contract.ts';
import type { NotificationKind } from '../notifications/contract.ts';
import type { LifeEvent, RolloutCause } from './contract.ts';
import type { ReleaseChange, ReleaseDiff } from './rules/compare-releases.ts';

/** What a life cycle is told about in words: the same in the log, in notifications, in the API. */

export type Line = Pick<InstallationLogEntry, 'level' | 'message' | 'facts'>;

export interface Message {
  kind: NotificationKind;
  subject: string;
  body: string;
  facts: Json;
}

/** One line of the log; `event` names what happened for programs. */
export const line = (message: string, event: LifeEvent, facts: object = {}, level: Line['level'] = 'info'): Line => ({
  level,
  message,
  facts: { event, ...facts } as Json,
});

function message(
  kind: NotificationKind,
  { id, slug, operator, plugin }: Installation,
  state: string,
  body: string[],
  facts: object,
): Message {
  return {
    kind,
    subject: `${plugin} at ${operator.slug}/${slug} ${state}`.slice(0, 300),
    body: body.join('\n').slice(0, 10_000),
    facts: { installationId: id, operator: operator.slug, slug, plugin, ...facts } as Json,
  };
}

/** `capabilities: kv (required: Keeps the orders.)`: one line of a diff. */
export const changeText = ({ part, change, name, from, to }: ReleaseChange): string => {
  const detail = change === 'added' ? to : change === 'removed' ? from : `${from} → ${to}`;
  return `${part}: ${change} ${name}${detail === null || detail === name ? '' : ` (${detail})`}`;
};

export const consentMessage = (installation: Installation, diff: ReleaseDiff): Message =>
  message(
    'update-waiting',
    installation,
    `waits for consent to ${diff.toVersion}`,
    [
      `It follows ${installation.updates.follows}, and ${diff.toVersion} may do more than ${diff.fromVersion}:`,
      ...diff.changes.filter(({ needsConsent }) => needsConsent).map((change) => `- ${changeText(change)}`),
      `It stays on ${diff.fromVersion} until its operator consents: gate update ${installation.slug} --show`,
    ],
    { fromVersion: diff.fromVersion, toVersion: diff.toVersion, digest: diff.digest },
  );

export const weakerMessage = (
  installation: Installation,
  toVersion: string,
  sentences: string[],
  facts: object,
): Message =>
  message(
    'update-waiting',
    installation,
    `does not take ${toVersion} by itself`,
    [
      `It follows ${installation.updates.follows}, and ${toVersion} is signed more weakly than ${installation.version}:`,
      ...sentences.map((sentence) => `- ${sentence}`),
      `Ask its publisher why. To take it all the same: gate update ${installation.slug} ${toVersion} --accept-weaker-signing <reason>`,
    ],
    { fromVersion: installation.version, toVersion, ...facts },
  );

export const obstacleMessage = (installation: Installation, toVersion: string, obstacles: string[]): Message =>
  message(
    'update-waiting',
    installation,
    `cannot take ${toVersion} yet`,
    [
      `It follows ${installation.updates.follows}, and something is in the way of ${toVersion}:`,
      ...obstacles.map((obstacle) => `- ${obstacle}`),
      'It is taken as soon as that is settled.',
    ],
    { fromVersion: installation.version, toVersion, obstacles },
  );

export const updatedMessage = (
  installation: Installation,
  toVersion: string,
  { cause, reason }: { cause: RolloutCause | 'canary'; reason: string },
): Message =>
  message(
    'installation-updated',
    installation,
    `runs ${toVersion}`,
    [
      `It was updated from ${installation.version} to ${toVersion}. ${reason}`,
      `Back: gate rollback ${installation.slug}`,
    ],
    { fromVersion: installation.version, toVersion, cause },
  );

export const rolledBackMessage = (installation: Installation, canaryVersion: string, reason: string): Message =>
  message(
    'canary-rolled-back',
    installation,
    `dropped the canary ${canaryVersion}`,
    [
      reason,
      `All calls are answered by ${installation.version} again. The policy does not choose ${canaryVersion} any more.`,
      `Log: gate logs ${installation.id}`,
    ],
    { version: installation.version, canaryVersion, reason },
  );

export const failedMessage = (installation: Installation, toVersion: string, reason: string): Message =>
  message(
    'update-failed',
    installation,
    `could not be updated to ${toVersion}`,
    [
      reason,
      `It stays on ${installation.version}. It is tried again when the installation is changed or another release appears.`,
      `By hand: gate update ${installation.slug} ${toVersion}`,
    ],
    { fromVersion: installation.version, toVersion, reason },
  );

export const stuckMessage = (installation: Installation, toVersion: string, reason: string): Message =>
  message(
    'update-failed',
    installation,
    `could not go back to ${toVersion}`,
    [
      reason,
      `It stays on ${installation.version}. It is tried again when the installation is changed.`,
      `To another release by hand: gate update ${installation.slug} <version>`,
    ],
    { fromVersion: installation.version, toVersion, reason },
  );
