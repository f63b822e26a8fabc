import type { Notification } from '../../../host/notifications/contract.ts';
import { type ApiClient, readPages } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { oneLine, type Paint } from '../terminal.ts';

const SHOWN_MAX = 100;

/** The newest notifications, oldest first; with `markRead` all of them are marked as read. */
export const readNotifications =
  (api: Pick<ApiClient, 'listNotifications' | 'markNotificationRead'>) =>
  async ({ unread, markRead }: { unread?: boolean; markRead?: boolean }): Promise<Notification[]> => {
    const newest = await readPages((page) => api.listNotifications({ unread, ...page }), SHOWN_MAX);
    const shown: Notification[] = [];
    for (const each of newest.toReversed()) {
      shown.push(markRead && each.readAt === null ? await api.markNotificationRead(each.id) : each);
    }
    return shown;
  };

/** Its time and subject, and below them the lines of its body. */
export function notificationText(paint: Paint, { at, subject, body, readAt }: Notification): string {
  const head = readAt === null ? paint('bold', oneLine(subject)) : paint('dim', oneLine(subject));
  return [`${paint('dim', at)} ${head}`, ...body.split('\n').map((line) => `    ${oneLine(line)}`)].join('\n');
}

export function notificationsCommand(cli: Cli): void {
  verb(cli, {
    name: 'notifications',
    summary: 'Show what your organisation was told: installations that run alone, or not at all',
    examples: ['gate notifications', 'gate notifications --unread --mark-read', 'gate notifications --json'],
  })
    .option('--unread', 'only what nobody of your organisation has read')
    .option('--mark-read', 'mark what is shown as read')
    .action(
      cli.answer(async (options: { unread?: true; markRead?: true }) => {
        const items = await readNotifications(await cli.api())(options);
        return {
          value: { items },
          text: (paint) =>
            items.length === 0
              ? 'There are no notifications.'
              : items.map((item) => notificationText(paint, item)).join('\n'),
        };
      }),
    );
}
