import type { FactorLoginPorts } from '../routes/factor-logins.ts';
import type { FactorRoutePorts } from '../routes/factors.ts';
import type { TelegramRoutePorts } from '../routes/telegram.ts';

const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const AT = '2026-01-02T03:04:05.678Z';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

/** Second factors in memory, for the tests of the HTTP side. */
export function fakeFactors(
  port: FakePort,
): Pick<FactorRoutePorts & FactorLoginPorts & TelegramRoutePorts, 'factors' | 'telegram'> {
  const account = { id: ID, username: 'ada', sessionEpoch: 0 };
  const status = {
    totp: { label: 'phone', createdAt: AT, lastUsedAt: null },
    passkeys: [{ id: ID, label: 'laptop', backedUp: false, createdAt: AT, lastUsedAt: null }],
    recoveryCodesLeft: 10,
  };
  const challenge = { challenge: 'x', expiresAt: AT, methods: ['totp' as const], passkeyOptions: null };
  const enrolled = { status, recoveryCodes: null };
  const link = { linkedAt: AT, lastUsedAt: null };
  return {
    factors: {
      status: port('factorStatus', status),
      startTotp: port('startTotp', { secret: 'ABC', uri: 'otpauth://totp/x', qrSvg: '<svg/>' }),
      confirmTotp: port('confirmTotp', enrolled),
      removeTotp: port('removeTotp', status),
      renewRecoveryCodes: port('renewRecoveryCodes', ['0000-0000-0000-0000']),
      startPasskey: port('startPasskey', challenge),
      addPasskey: port('addPasskey', enrolled),
      removePasskey: port('removePasskey', status),
      startStepUp: port('startStepUp', challenge),
      stepUp: port('stepUp', Date.parse(AT)),
      challengeFor: port('factorChallengeFor', null),
      answerChallenge: port('answerChallenge', account),
      startPasskeyLogin: port('startPasskeyLogin', challenge),
      logInByPasskey: port('logInByPasskey', account),
      reset: port('resetFactors', undefined),
    },
    telegram: {
      logIn: port('telegramLogIn', { account, isNew: false }),
      status: port('telegramStatus', link),
      link: port('linkTelegram', link),
      unlink: port('unlinkTelegram', undefined),
    },
  };
}
