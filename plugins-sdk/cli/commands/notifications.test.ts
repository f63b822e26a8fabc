import { expect } from 'chai';
import type { Notification } from '../../../host/notifications/contract.ts';
import { notificationText, readNotifications } from './notifications.ts';

const plain = (_style: unknown, text: string) => text;
const notification = (id: string, readAt: string | null = null): Notification => ({
  id,
  at: '2026-11-21T12:00:00.000Z',
  kind: 'installation-suspended',
  subject: `${id} is suspended`,
  body: 'First line.\nSecond line.',
  facts: {},
  readAt,
});

const inbox = (...newestFirst: Notification[]) => {
  const asked: object[] = [];
  const marked: string[] = [];
  const api = {
    listNotifications: async (filter: object = {}) => {
      asked.push(filter);
      return { items: newestFirst, nextCursor: null };
    },
    markNotificationRead: async (id: string) => {
      marked.push(id);
      return notification(id, 'now');
    },
  };
  return { read: readNotifications(api), asked, marked };
};

describe('readNotifications', () => {
  it('shows the oldest first and marks nothing by itself', async () => {
    const { read, asked, marked } = inbox(notification('b'), notification('a', 'earlier'));
    expect((await read({ unread: true })).map(({ id }) => id)).to.deep.equal(['a', 'b']);
    expect(asked[0]).to.include({ unread: true });
    expect(marked).to.deep.equal([]);
  });

  it('marks what was unread, and nothing twice', async () => {
    const { read, marked } = inbox(notification('b'), notification('a', 'earlier'));
    expect((await read({ markRead: true })).map(({ readAt }) => readAt)).to.deep.equal(['earlier', 'now']);
    expect(marked).to.deep.equal(['b']);
  });
});

describe('notificationText', () => {
  it('shows time and subject, and the lines of the body below', () => {
    expect(notificationText(plain, notification('x')).split('\n')).to.deep.equal([
      '2026-11-21T12:00:00.000Z x is suspended',
      '    First line.',
      '    Second line.',
    ]);
  });

  it('lets nothing through that could forge a line', () => {
    const forged = { ...notification('x'), subject: 'a\nb', body: '\u001b[2Jc\r' };
    expect(notificationText(plain, forged)).to.equal('2026-11-21T12:00:00.000Z a b\n    c ');
  });
});
