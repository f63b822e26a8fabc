import type { Json, OperatorMessage } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';
import type { CallKey } from '../capabilities/call-key.ts';
import type { CallingInstallation } from '../capabilities/call-scope.ts';

/** What notifications are about. A closed set: programs may act on it. */
export const NOTIFICATION_KINDS = [
  'installation-solitary',
  'installation-suspended',
  'installation-resumed',
  'installation-updated',
  'update-waiting',
  'update-failed',
  'canary-rolled-back',
  'staging-halted',
  'staging-done',
  'staging-rolled-back',
  'plugin-message',
  'security-alert',
  'release-yanked',
  'release-held',
  'release-reviewed',
  'release-suspended',
  'release-restored',
  'webhook-paused',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** Something that an organisation has to know although nobody of it asked. */
export interface Notification {
  id: string;
  at: string;
  kind: NotificationKind;
  /** One line. */
  subject: string;
  body: string;
  /** What it is about, for programs: ids, versions, times. */
  facts: Json;
  /** When somebody of the organisation marked it as read, or null. */
  readAt: string | null;
}

/** Messages of plugins to the operators of their installations. */
export interface PluginMessages {
  /** Adds one, once for each key; returns the notification's id. Null where there were as many within the hour as there may be. */
  send(
    installation: Pick<CallingInstallation, 'id' | 'slug' | 'plugin' | 'operator'>,
    message: OperatorMessage,
    key: CallKey,
  ): Promise<string | null>;
}

/** Notifications of the actor's organisation. */
export interface Notifications {
  /** Newest first. Refuses with: cursor-invalid. */
  list(actor: Principal, filter: PageRequest & { unread?: boolean }): Promise<Page<Notification>>;
  /** Marks one as read, for the whole organisation. Idempotent. Refuses with: notification-unknown. */
  markRead(actor: Principal, id: string): Promise<Notification>;
}
