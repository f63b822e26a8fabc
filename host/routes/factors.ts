import { Type } from 'typebox';
import { type Accounts, type Factors, RegistryRefusal } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import {
  Challenge,
  Enrolled,
  FactorChallenge,
  FactorStatus,
  PasskeyRegistration,
  proofFields,
  proofOf,
} from './factor-fields.ts';
import { ByUsername, Id, Label, strict, Timestamp } from './fields.ts';

export interface FactorRoutePorts {
  factors: Omit<Factors, 'sweep' | 'requireFresh' | 'waysInIn' | 'challengeFor'>;
  accounts: Pick<Accounts, 'findByUsername'>;
}

/** Second factors of the person who asks: what there is, and how to add and remove it. */
export const factorRoutes = ({ factors, accounts }: FactorRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/account/factors',
    consumer: 'People',
    summary: 'Your second factors.',
    allow: 'account',
    reply: { 200: FactorStatus },
    refuses: [],
    handle: ({ person }) => factors.status(person.account.id),
  }),
  route({
    method: 'POST',
    path: '/v1/account/totp',
    consumer: 'People',
    summary: 'Begin with an authenticator app: a secret, and it as a QR code (SVG). It counts once you confirm a code.',
    allow: 'account',
    body: Type.Object({ label: Type.Optional(Label) }, { ...strict, title: 'NewTotp' }),
    reply: {
      201: Type.Object(
        {
          secret: Type.String({ description: 'Base 32, for typing. In this answer and nowhere else.' }),
          uri: Type.String({ description: 'otpauth://totp/…' }),
          qrSvg: Type.String(),
        },
        { title: 'TotpEnrolment' },
      ),
    },
    refuses: ['confirmation-needed'],
    handle: ({ person, body }) => factors.startTotp(person, { label: body.label ?? 'authenticator' }),
  }),
  route({
    method: 'POST',
    path: '/v1/account/totp/confirmation',
    consumer: 'People',
    summary: 'Show that the app has the secret. Ends your other sessions.',
    allow: 'account',
    body: Type.Object({ code: Type.String({ pattern: '^[0-9]{6}$' }) }, { ...strict, title: 'TotpConfirmation' }),
    reply: { 200: Enrolled },
    refuses: ['factor-unknown', 'factor-invalid', 'login-locked'],
    handle: ({ person, body, address, userAgent = '' }) => factors.confirmTotp(person, body, { address, userAgent }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/account/totp',
    consumer: 'People',
    summary: 'Remove the authenticator app. Ends your other sessions.',
    allow: 'account',
    stepUp: true,
    reply: { 200: FactorStatus },
    refuses: ['confirmation-needed', 'factor-unknown'],
    handle: ({ person }) => factors.removeTotp(person),
  }),
  route({
    method: 'POST',
    path: '/v1/account/recovery-codes',
    consumer: 'People',
    summary: 'Ten new recovery codes; the ones before are void.',
    allow: 'account',
    stepUp: true,
    reply: { 201: Type.Object({ recoveryCodes: Type.Array(Type.String()) }, { title: 'RecoveryCodes' }) },
    refuses: ['confirmation-needed', 'factor-unknown'],
    handle: async ({ person }) => ({ recoveryCodes: await factors.renewRecoveryCodes(person) }),
  }),
  ...passkeyRoutes({ factors }),
  ...stepUpRoutes({ factors, accounts }),
];

function passkeyRoutes({ factors }: Pick<FactorRoutePorts, 'factors'>): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/account/passkeys/challenge',
      consumer: 'People',
      summary: 'Begin with a passkey: what `navigator.credentials.create()` takes.',
      allow: 'account',
      reply: { 201: FactorChallenge },
      refuses: ['confirmation-needed', 'passkeys-unavailable', 'passkeys-full'],
      handle: ({ person }) => factors.startPasskey(person),
    }),
    route({
      method: 'POST',
      path: '/v1/account/passkeys',
      consumer: 'People',
      summary: 'Register the passkey that the browser made. Ends your other sessions.',
      allow: 'account',
      body: Type.Object(
        { challenge: Challenge, label: Label, passkey: PasskeyRegistration },
        { ...strict, title: 'NewPasskey' },
      ),
      reply: { 201: Enrolled },
      refuses: ['challenge-invalid', 'factor-invalid', 'passkey-taken', 'passkeys-full', 'passkeys-unavailable'],
      handle: ({ person, body }) => factors.addPasskey(person, body),
    }),
    route({
      method: 'DELETE',
      path: '/v1/account/passkeys/:id',
      consumer: 'People',
      summary: 'Remove a passkey. Ends your other sessions.',
      allow: 'account',
      stepUp: true,
      params: Type.Object({ id: Id }),
      reply: { 200: FactorStatus },
      refuses: ['confirmation-needed', 'factor-unknown', 'last-way-in'],
      handle: ({ person, params }) => factors.removePasskey(person, params.id),
    }),
  ];
}

function stepUpRoutes({ factors, accounts }: FactorRoutePorts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/sessions/current/step-up/challenge',
      consumer: 'People',
      summary: 'What you can confirm; needed for passkeys, whose challenge it brings.',
      allow: 'account',
      reply: { 201: FactorChallenge },
      refuses: ['factor-unknown'],
      handle: ({ person }) => factors.startStepUp(person),
    }),
    route({
      method: 'POST',
      path: '/v1/sessions/current/step-up',
      consumer: 'People',
      summary: 'Confirm a second factor, for what is dangerous: good for ten minutes of this session.',
      allow: 'account',
      body: Type.Object(
        { challenge: Type.Optional(Challenge), ...proofFields },
        { ...strict, title: 'StepUp', description: 'Exactly one of code, recoveryCode and passkey.' },
      ),
      reply: { 200: Type.Object({ confirmedAt: Timestamp }, { title: 'SteppedUp' }) },
      refuses: ['factor-invalid', 'challenge-invalid', 'login-locked'],
      handle: async ({ person, body, address, userAgent = '' }) => {
        const { challenge } = body;
        const command = { proof: proofOf(body), ...(challenge === undefined ? {} : { challenge }) };
        const atMs = await factors.stepUp(person, command, { address, userAgent });
        return { confirmedAt: new Date(atMs).toISOString() };
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/accounts/:username/factors',
      consumer: 'Platform',
      summary: 'Take all second factors from somebody who has lost them, and end their sessions.',
      allow: ['account:unlock'],
      stepUp: true,
      params: ByUsername,
      reply: { 204: null },
      refuses: ['account-unknown', 'factor-unknown', 'last-way-in'],
      handle: async ({ principal, params }) => {
        const account = await accounts.findByUsername(params.username);
        if (account === null) throw new RegistryRefusal('account-unknown');
        await factors.reset(principal, account.id);
        return undefined;
      },
    }),
  ];
}
