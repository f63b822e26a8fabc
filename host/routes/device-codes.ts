import { Type } from 'typebox';
import type { Devices } from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { Label, Slug, strict, Timestamp } from './fields.ts';
import type { SessionRoutePorts } from './sessions.ts';
import { IssuedToken } from './tokens.ts';

const UserCode = Type.String({ minLength: 8, maxLength: 20, pattern: '^[A-Za-z -]+$', examples: ['BCDF-GHJK'] });
const DeviceCode = Type.Object(
  {
    deviceCode: Type.String({ description: 'For the program alone.' }),
    userCode: Type.String({ description: 'For the person to type.' }),
    verificationUri: Type.String({ description: 'Where they type it.' }),
    verificationUriComplete: Type.String({ description: 'The same with the code in it.' }),
    expiresInSeconds: Type.Integer(),
    intervalSeconds: Type.Integer({ description: 'Ask this often.' }),
  },
  { title: 'DeviceCode' },
);
const DeviceRequest = Type.Object(
  {
    label: Type.String({ description: 'What the program calls itself. Not to be trusted.' }),
    address: Type.String({ description: 'From where it asked.' }),
    createdAt: Timestamp,
    expiresAt: Timestamp,
  },
  { title: 'DeviceRequest' },
);

export interface DeviceCodePorts extends Pick<SessionRoutePorts, 'publicOrigin'> {
  devices: Devices;
  rateLimits?: Pick<RateLimits, 'limit'>;
}

/** Logging in a program without a browser: the flow of RFC 8628, in the words of this interface. */
export const deviceCodeRoutes = (ports: DeviceCodePorts): Route[] => [...programRoutes(ports), ...personRoutes(ports)];

const programRoutes = ({ devices, publicOrigin, rateLimits }: DeviceCodePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/device-codes',
    consumer: 'Programs',
    summary: 'Ask for a code that a person approves in a browser.',
    allow: 'public',
    body: Type.Object({ label: Label }, { ...strict, title: 'NewDeviceCode' }),
    reply: { 201: DeviceCode },
    refuses: [],
    handle: async ({ body, address }) => {
      await rateLimits?.limit('device-code-address', addressKey(address));
      const code = await devices.begin({ label: body.label, address });
      const verificationUri = `${publicOrigin()}/device`;
      const verificationUriComplete = `${verificationUri}?code=${code.userCode}`;
      return answer(
        { ...code, verificationUri, verificationUriComplete },
        { headers: { 'Cache-Control': 'no-store' } },
      );
    },
  }),
  route({
    method: 'POST',
    path: '/v1/device-codes/claim',
    consumer: 'Programs',
    summary: 'The token, once a person has approved the code; until then a refusal that says whether to ask again.',
    allow: 'public',
    body: Type.Object(
      { deviceCode: Type.String({ pattern: '^ghd_[A-Za-z0-9_-]{43}$' }) },
      { ...strict, title: 'DeviceClaim' },
    ),
    reply: { 200: IssuedToken },
    refuses: ['device-code-pending', 'device-code-slow-down', 'device-code-denied', 'device-code-expired'],
    handle: async ({ body }) =>
      answer(await devices.claim(body.deviceCode), { headers: { 'Cache-Control': 'no-store' } }),
  }),
];

const personRoutes = ({ devices, rateLimits }: DeviceCodePorts): Route[] => {
  const ByCode = Type.Object({ userCode: UserCode }, { ...strict, title: 'UserCode' });
  /** Codes are short: nobody may try many. */
  const counted = async (accountId: string) => rateLimits?.limit('device-code-account', accountId);
  return [
    route({
      method: 'POST',
      path: '/v1/device-codes/reading',
      consumer: 'People',
      summary: 'What waits with a code.',
      allow: 'account',
      body: ByCode,
      reply: { 200: DeviceRequest },
      refuses: ['device-code-unknown'],
      handle: async ({ person, body }) => {
        await counted(person.account.id);
        return devices.read(body.userCode);
      },
    }),
    route({
      method: 'POST',
      path: '/v1/device-codes/approval',
      consumer: 'People',
      summary: 'Let the program act as you do in one of your organisations, for 90 days.',
      allow: 'account',
      stepUp: true,
      body: Type.Object({ userCode: UserCode, organisation: Slug }, { ...strict, title: 'DeviceApproval' }),
      reply: { 200: DeviceRequest },
      refuses: ['device-code-unknown', 'organisation-foreign'],
      handle: async ({ person, body }) => {
        await counted(person.account.id);
        return devices.approve(person, body);
      },
    }),
    route({
      method: 'POST',
      path: '/v1/device-codes/refusal',
      consumer: 'People',
      summary: 'Deny it.',
      allow: 'account',
      body: ByCode,
      reply: { 204: null },
      refuses: ['device-code-unknown'],
      handle: async ({ person, body }) => {
        await counted(person.account.id);
        await devices.deny(person, body.userCode);
        return undefined;
      },
    }),
  ];
};
