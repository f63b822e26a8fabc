import type { AccountProfile, SessionTokens } from '../../registry/index.ts';
import type { AccountRoutePorts } from '../routes/accounts.ts';
import type { MailboxPorts } from '../routes/mailbox.ts';
import type { SessionRoutePorts } from '../routes/sessions.ts';

const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const AT = '2026-01-02T03:04:05.678Z';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** People in memory, for the tests of the HTTP side. */
export function fakePeople(
  port: FakePort,
  calls: [name: string, ...args: unknown[]][],
  failure: { thrown: unknown },
): Pick<
  AccountRoutePorts & SessionRoutePorts & MailboxPorts,
  'accounts' | 'sessions' | 'membershipsOf' | 'challengeFor' | 'mailbox'
> {
  /** One whose answer does not wait for the work. */
  const promised = (name: string) => (value: unknown) => {
    calls.push([name, value]);
    if (failure.thrown !== undefined) throw failure.thrown;
  };
  const account = { id: ID, username: 'ada' };
  const profile: AccountProfile = {
    ...account,
    state: 'active',
    email: { address: 'ada@example.com', verified: true },
    phone: null,
    hasPassword: true,
    createdAt: AT,
  };
  const tokens: SessionTokens = {
    sessionId: ID,
    accessToken: 'a.b.c',
    accessExpiresAt: AT,
    refreshToken: 'ghr_x',
    refreshExpiresAt: AT,
  };
  const { id, username } = account;
  const entry = { id, device: 'laptop', userAgent: 'x', address: '::1', createdAt: AT, lastSeenAt: AT, expiresAt: AT };
  return {
    accounts: {
      register: port('register', { id, username }),
      verifyEmail: port('verifyEmail', account),
      resendVerification: promised('resendVerification'),
      requestPasswordReset: promised('requestPasswordReset'),
      resetPassword: port('resetPassword', undefined),
      checkPassword: port('checkPassword', { ...account, sessionEpoch: 0 }),
      changePassword: port('changePassword', undefined),
      deactivate: port('deactivate', undefined),
      reactivate: port('reactivate', undefined),
      unlock: port('unlock', undefined),
      profile: port('profile', profile),
      findByUsername: port('findByUsername', account),
      findByEmail: port('findByEmail', account),
      sweep: port('sweepAccounts', undefined),
      attempts: {
        begin: port('begin', { counts: (attempt) => attempt(), succeeded: async () => {}, failed: () => {} }),
      },
      settled: port('settled', undefined),
    },
    sessions: {
      open: port('openSession', tokens),
      refresh: port('refreshSession', tokens),
      list: port('sessions', [entry]),
      end: port('endSession', undefined),
      endAll: port('endAllSessions', undefined),
    },
    membershipsOf: port('membershipsOf', []),
    challengeFor: port('challengeFor', null),
    mailbox: port('mailbox', [
      { id: ID, to: 'ada@example.com', subject: '<b>Hi', text: '& you', createdAt: AT, sentAt: null },
    ]),
  };
}
