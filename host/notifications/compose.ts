import { HostRefusal } from '../errors.ts';
import type { Notifications } from './contract.ts';
import type { NotificationStore } from './notification-store.ts';

export interface NotificationsPorts {
  store: Pick<NotificationStore, 'page' | 'markRead'>;
  nowMs(): number;
}

export const createNotifications = ({ store, nowMs }: NotificationsPorts): Notifications => ({
  list: (actor, filter) => store.page(actor.organisation.id, filter),
  markRead: async (actor, id) => {
    const notification = await store.markRead(actor.organisation.id, id, nowMs());
    if (notification === null) throw new HostRefusal('notification-unknown');
    return notification;
  },
});
