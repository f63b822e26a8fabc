import type { SentMail } from '../../mail/contract.ts';
import { escapeHtml, htmlPage } from './page.ts';

/** Mail as people read it, the newest first. */
export function mailboxPage(mails: SentMail[]): string {
  const letters = mails.map(
    ({ to, subject, text, createdAt }) => `
<article>
<h2>${escapeHtml(subject)}</h2>
<p>To ${escapeHtml(to)}, ${escapeHtml(createdAt)}</p>
<pre>${escapeHtml(text)}</pre>
</article>`,
  );
  const none = '<p>No mail yet. Register an account, or ask for a new password.</p>';
  return htmlPage('Mailbox', `<h1>Mailbox</h1>\n${letters.join('\n') || none}`);
}
