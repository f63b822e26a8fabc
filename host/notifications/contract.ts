import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';

/** What notifications are about. A closed set: programs may act on it. */
export const NOTIFICATION_KINDS = ['installation-solitary', 'installation-suspended', 'installation-resumed'] as const;
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

/** Notifications of the actor's organisation. */
export interface Notifications {
  /** Newest first. Refuses with: cursor-invalid. */
  list(actor: Principal, filter: PageRequest & { unread?: boolean }): Promise<Page<Notification>>;
  /** Marks one as read, for the whole organisation. Idempotent. Refuses with: notification-unknown. */
  markRead(actor: Principal, id: string): Promise<Notification>;
}
