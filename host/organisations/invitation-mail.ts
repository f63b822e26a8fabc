import type { Knex } from 'knex';
import type { Mail } from '../../registry/index.ts';

interface Invitation {
  to: string;
  organisation: { slug: string; name: string };
  role: string;
  secret: string;
  expiresAt: Date;
}

/** Puts the mail with an invitation into the outbox, within a transaction. */
export const invitationMailIn =
  (mailIn: (database: Knex) => (mail: Mail) => Promise<void>) =>
  (database: Knex) =>
  (invitation: Invitation): Promise<void> =>
    mailIn(database)({ accountId: null, to: invitation.to, ...textOf(invitation) });

/** The name of an organisation is whatever its owner chose: it is short and stands in quotes. */
const textOf = ({ organisation, role, secret, expiresAt }: Invitation) => ({
  subject: 'An invitation to an organisation at Gatehouse',
  text: `Somebody invites you to "${organisation.name.slice(0, 100)}" (${organisation.slug}) as ${role}.

Log in with an account that has verified this address, and accept until ${expiresAt.toISOString()} with this code:

    ${secret}

If you do not know them, ignore this mail.
`,
});
