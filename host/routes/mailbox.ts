import { Type } from 'typebox';
import { mailboxPage } from '../http/pages/mailbox-page.ts';
import { answer, type Route, route } from '../http/route.ts';
import type { SentMail } from '../mail/contract.ts';
import { Id, nullable, Timestamp } from './fields.ts';

const Mail = Type.Object(
  {
    id: Id,
    to: Type.String(),
    subject: Type.String(),
    text: Type.String(),
    createdAt: Timestamp,
    sentAt: nullable(Timestamp),
  },
  { title: 'Mail' },
);

export interface MailboxPorts {
  /** Null outside of development: then there is no such route. */
  mailbox?: (() => Promise<SentMail[]>) | null;
}

/** What would be in everybody's mailbox, for whoever tries Gatehouse without a server of mail. */
export const mailboxRoutes = ({ mailbox }: MailboxPorts): Route[] =>
  !mailbox
    ? []
    : [
        route({
          method: 'GET',
          path: '/dev/mailbox',
          consumer: 'Development',
          summary: 'All mail that was written lately. Only where GATEHOUSE_DEV_MAILBOX is set.',
          allow: 'public',
          reply: { 200: Type.Object({ items: Type.Array(Mail) }, { title: 'Mailbox' }) },
          refuses: [],
          handle: async ({ wantsHtml }) => {
            const items = await mailbox();
            const headers = { 'Cache-Control': 'no-store' };
            if (!wantsHtml) return answer({ items }, { headers });
            return answer(mailboxPage(items), { headers, mediaType: 'text/html; charset=utf-8' });
          },
        }),
      ];
