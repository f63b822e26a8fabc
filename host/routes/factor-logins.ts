import { Type } from 'typebox';
import type { Factors, ProvenAccount, Sessions, Telegram } from '../../registry/index.ts';
import { type Answer, answer, type Route, route } from '../http/route.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import { Challenge, FactorChallenge, PasskeyAssertion, proofFields, proofOf } from './factor-fields.ts';
import { Label, strict } from './fields.ts';
import { SessionGrant, sessionAnswer, TokenPlace } from './session-answer.ts';
import type { SessionRoutePorts } from './sessions.ts';

export interface FactorLoginPorts extends Pick<SessionRoutePorts, 'rateLimits' | 'publicOrigin' | 'nowMs'> {
  factors: Pick<Factors, 'challengeFor' | 'answerChallenge' | 'startPasskeyLogin' | 'logInByPasskey'>;
  telegram: Pick<Telegram, 'logIn'>;
  sessions: Pick<Sessions, 'open'>;
}

const deviceFields = { device: Type.Optional(Label), as: Type.Optional(TokenPlace) };
interface From {
  body: { device?: string; as?: 'body' | 'cookies' };
  address: string;
  userAgent?: string | undefined;
}

/** Logins that end with a second factor, or begin with something else than a password. */
export function factorLoginRoutes(ports: FactorLoginPorts): Route[] {
  const { factors, telegram, sessions, publicOrigin, nowMs } = ports;
  const limited = (address: string) => ports.rateLimits?.limit('login-address', addressKey(address));
  const grant = async (account: ProvenAccount, from: From, factorAtMs?: number): Promise<Answer> => {
    const { body, address, userAgent = '' } = from;
    const device = { name: body.device ?? '', userAgent, address };
    const tokens = await sessions.open(account, device, factorAtMs === undefined ? {} : { factorAtMs });
    return sessionAnswer(tokens, { as: body.as ?? 'body', origin: publicOrigin(), status: 201, nowMs: nowMs() });
  };
  return [
    route({
      method: 'POST',
      path: '/v1/sessions/second-factor',
      consumer: 'People',
      summary: 'The second step of a login that answered 202.',
      allow: 'public',
      body: Type.Object(
        { challenge: Challenge, ...proofFields, ...deviceFields },
        { ...strict, title: 'SecondFactor', description: 'Exactly one of code, recoveryCode and passkey.' },
      ),
      reply: { 201: SessionGrant },
      refuses: ['challenge-invalid', 'factor-invalid', 'login-locked', 'login-outdated', 'rate-limited'],
      handle: async ({ body, address, userAgent = '' }) => {
        await limited(address);
        const command = { challenge: body.challenge, proof: proofOf(body) };
        const account = await factors.answerChallenge(command, { address, userAgent });
        return grant(account, { body, address, userAgent }, nowMs());
      },
    }),
    route({
      method: 'POST',
      path: '/v1/sessions/passkey/challenge',
      consumer: 'People',
      summary: 'Begin a login by nothing but a passkey: what `navigator.credentials.get()` takes.',
      allow: 'public',
      reply: { 201: FactorChallenge },
      refuses: ['passkeys-unavailable', 'rate-limited'],
      handle: async ({ address }) => {
        await limited(address);
        return factors.startPasskeyLogin();
      },
    }),
    route({
      method: 'POST',
      path: '/v1/sessions/passkey',
      consumer: 'People',
      summary: 'Log in by a passkey that has verified its user.',
      allow: 'public',
      body: Type.Object(
        { challenge: Challenge, passkey: PasskeyAssertion, ...deviceFields },
        { ...strict, title: 'PasskeyLogin' },
      ),
      reply: { 201: SessionGrant },
      refuses: ['challenge-invalid', 'factor-invalid', 'login-locked', 'login-outdated', 'rate-limited'],
      handle: async ({ body, address, userAgent = '' }) => {
        await limited(address);
        const account = await factors.logInByPasskey(body, { address, userAgent });
        // Possession and its PIN or fingerprint: two factors in one.
        return grant(account, { body, address, userAgent }, nowMs());
      },
    }),
    route({
      method: 'POST',
      path: '/v1/sessions/telegram',
      consumer: 'People',
      summary:
        'Log in from a Telegram Mini App; the first time it makes an account. 202: a second factor is asked for.',
      allow: 'public',
      body: Type.Object(
        {
          initData: Type.String({
            minLength: 1,
            maxLength: 4_096,
            description: '`Telegram.WebApp.initData` as it is.',
          }),
          ...deviceFields,
        },
        { ...strict, title: 'TelegramLogin' },
      ),
      reply: { 201: SessionGrant, 202: FactorChallenge },
      refuses: [
        'telegram-unavailable',
        'telegram-data-invalid',
        'telegram-data-stale',
        'telegram-data-used',
        'login-outdated',
        'rate-limited',
      ],
      handle: async ({ body, address, userAgent = '' }) => {
        await limited(address);
        const { account } = await telegram.logIn({ initData: body.initData, address });
        const challenge = await factors.challengeFor(account, { address, userAgent });
        if (challenge !== null) return answer(challenge, { status: 202 });
        return grant(account, { body, address, userAgent });
      },
    }),
  ];
}
