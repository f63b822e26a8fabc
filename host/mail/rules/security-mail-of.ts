/** What of an entry of the audit trail tells whether its person has to hear of it by mail. */
export interface PersonalEntry {
  id: string;
  at: string;
  action: string;
  outcome: string;
  actor: { accountId?: string };
  subject: { kind: string; id: string };
  address?: string | null;
}

interface Rule {
  subject: string;
  /** One sentence. */
  what: string;
  /** Of entries with this outcome only. Default: done. */
  outcome?: string;
}

const CHANGED = 'A second factor of your account was changed';

/** By action of the entry. Changed passwords have mail of their own, written with the change. */
const RULES: Readonly<Record<string, Rule>> = {
  'totp.enrol': { subject: CHANGED, what: 'An authenticator app was added.' },
  'totp.remove': { subject: CHANGED, what: 'The authenticator app was removed.' },
  'passkey.enrol': { subject: CHANGED, what: 'A passkey was added.' },
  'passkey.remove': { subject: CHANGED, what: 'A passkey was removed.' },
  'recovery-codes.renew': { subject: CHANGED, what: 'New recovery codes were made; the ones before are void.' },
  'factor.reset': { subject: CHANGED, what: 'An admin of the platform took away all second factors.' },
  'telegram.link': { subject: CHANGED, what: 'An account of Telegram was linked, which can log in from now on.' },
  'telegram.unlink': { subject: CHANGED, what: 'The link to Telegram was ended.' },
  'security.recovery-code-used': {
    subject: 'A recovery code of your account was used',
    what: 'Somebody confirmed a login, or something dangerous, by a recovery code.',
    outcome: 'refused',
  },
  'session.reuse': {
    subject: 'A session of your account was ended',
    what: 'A refresh token was used twice: two programs had it, so the session has ended.',
    outcome: 'refused',
  },
  'device.approve': {
    subject: 'A program was allowed to act for you',
    what: 'The code of a device was approved: the program acts as you do in one of your organisations, for 90 days.',
  },
  'account.deactivate': {
    subject: 'Your account was deactivated',
    what: 'Nobody can log in until an admin brings it back.',
  },
};

const NEW_DEVICE: Rule = {
  subject: 'A login to your account from a new device',
  what: 'Somebody logged in with a browser or a program that was not used before.',
};

/** Opens a session: of interest where the device is new, which only the sessions can tell. */
export const isLogin = ({ action, outcome }: PersonalEntry): boolean => action === 'session.open' && outcome === 'done';

/** Whose matter an entry is; null where it is no person's. */
export const personOf = ({ subject, actor }: PersonalEntry): string | null =>
  subject.kind === 'account' ? subject.id : (actor.accountId ?? null);

/** The mail about an entry; null where there is nothing to tell. Nothing in it was chosen by a stranger. */
export function securityMailOf(entry: PersonalEntry, username: string): { subject: string; text: string } | null {
  const rule = isLogin(entry) ? NEW_DEVICE : Object.hasOwn(RULES, entry.action) ? RULES[entry.action]! : null;
  if (rule === null || entry.outcome !== (rule.outcome ?? 'done')) return null;
  return {
    subject: rule.subject,
    text: `About your account "${username}" at Gatehouse, ${entry.at}${entry.address ? `, from ${entry.address}` : ''}:

${rule.what}

If it was not you, change your password, end your other sessions and look at your second factors; or ask an admin for help.
`,
  };
}
