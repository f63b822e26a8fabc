import { sha256Hex } from '../../../plugins-sdk/contract/index.ts';

/** What of an entry of the audit trail tells whether somebody has to hear of it. */
export interface AlertingEntry {
  id: string;
  at: string;
  action: string;
  outcome: 'done' | 'unchanged' | 'refused';
  organisationId: string | null;
  actor: { via: string; accountId?: string; role?: string };
  subject: { kind: string; id: string };
  after?: unknown;
}

export const ALERT_KINDS = ['lockout', 'credential-reuse', 'factor', 'privilege', 'signing-key', 'signature'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  kind: AlertKind;
  /** One line. */
  subject: string;
  body: string;
  /** Whether staff of the platform hear of it too. */
  platform: boolean;
}

interface Rule {
  kind: AlertKind;
  subject: string;
  advice: string;
  platform?: true;
  /** Of entries with this outcome only. Default: done. */
  outcome?: AlertingEntry['outcome'];
  when?(entry: AlertingEntry): boolean;
}

const POWERFUL = new Set(['admin', 'moderator', 'operator-owner', 'publisher', 'finance-manager']);
const roleIn = ({ after }: AlertingEntry): string | undefined => (after as { role?: string } | undefined)?.role;

/** By action of the entry. Strikes have notifications of their own; see host/conduct. */
const RULES: Record<string, Rule> = {
  'security.login-locked': {
    kind: 'lockout',
    subject: 'Logins were locked after too many failures',
    advice: 'Somebody may be guessing passwords. An admin can end the lockout: DELETE /v1/accounts/{username}/lockout.',
    platform: true,
    outcome: 'refused',
  },
  'security.passkey-copied': {
    kind: 'factor',
    subject: 'A passkey may have been copied: its counter went back',
    advice: 'The person should remove that passkey and look at their sessions.',
    platform: true,
    outcome: 'refused',
  },
  'security.recovery-code-used': {
    kind: 'factor',
    subject: 'A recovery code was used in place of a second factor',
    advice: 'If the person did not do it, somebody has their password and their codes.',
    outcome: 'refused',
  },
  'security.refresh-reused': {
    kind: 'credential-reuse',
    subject: 'A refresh token was used twice, and its session has ended',
    advice: 'It may have been stolen. The person should log in again and look at their other sessions.',
    platform: true,
    outcome: 'refused',
  },
  'factor.reset': {
    kind: 'factor',
    subject: 'The second factors of a person were taken away by an admin',
    advice: 'If nobody asked for it, deactivate the account.',
    platform: true,
  },
  'member.change-role': {
    kind: 'privilege',
    subject: 'A member has another role',
    advice: 'If nobody of you did it, take it back.',
  },
  'organisation.transfer': {
    kind: 'privilege',
    subject: 'The organisation has another owner',
    advice: 'If this was not agreed, write to the platform.',
    platform: true,
  },
  'token.issue': {
    kind: 'privilege',
    subject: 'An API token that may do everything was issued',
    advice: 'If nobody of you did it, revoke it: gate tokens revoke.',
    when: (entry) => POWERFUL.has(roleIn(entry) ?? ''),
  },
  'key.register': {
    kind: 'signing-key',
    subject: 'A key was registered that can sign your releases',
    advice: 'If nobody of you did it, write to the platform at once.',
  },
  'release.publish': {
    kind: 'signature',
    subject: 'A release was refused because of its signature',
    advice: 'If nobody of you tried to publish, revoke your tokens.',
    outcome: 'refused',
  },
  'release.load': {
    kind: 'signature',
    subject: 'The code of a published release does not have its signatures any more',
    advice: 'Somebody changed what is stored, and nothing of it runs. Look at the database and at who can write to it.',
    platform: true,
    outcome: 'refused',
  },
};

/** What somebody has to hear because of an entry; null for most. */
export function alertOf(entry: AlertingEntry): Alert | null {
  const rule = Object.hasOwn(RULES, entry.action) ? RULES[entry.action]! : undefined;
  if (rule === undefined || entry.outcome !== (rule.outcome ?? 'done') || rule.when?.(entry) === false) return null;
  const { kind, subject, advice, platform = false } = rule;
  const who = entry.actor.accountId ?? entry.actor.role ?? entry.actor.via;
  const body = `${entry.action} of ${entry.subject.kind} ${entry.subject.id} at ${entry.at}, by ${who}.\n${advice}`;
  return { kind, subject, body, platform };
}

/** The id of the notification of an entry for an organisation: the same on every host, and in the order of time like the entry's. */
export function notificationId(entryId: string, organisationId: string): string {
  const hash = sha256Hex(`${entryId} ${organisationId}`);
  return `${entryId.slice(0, 13)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}
