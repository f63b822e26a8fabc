import { type Static, Type } from 'typebox';
import { type Accounts, type ProvenAccount, RegistryRefusal, type Sessions } from '../../registry/index.ts';
import { sessionCookies } from '../http/cookies.ts';
import { answer, type Route, route } from '../http/route.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { FactorChallenge } from './factor-fields.ts';
import { Id, Label, strict, Timestamp } from './fields.ts';
import { SessionGrant, sessionAnswer, TokenPlace, withoutCookies } from './session-answer.ts';

const Session = Type.Object(
  {
    id: Id,
    device: Type.String(),
    userAgent: Type.String(),
    address: Type.String(),
    createdAt: Timestamp,
    lastSeenAt: Timestamp,
    expiresAt: Timestamp,
    current: Type.Boolean({ description: 'The one that asks.' }),
  },
  { title: 'Session' },
);

export interface SessionRoutePorts {
  accounts: Pick<Accounts, 'checkPassword'>;
  sessions: Pick<Sessions, 'open' | 'refresh' | 'list' | 'end' | 'endAll'>;
  /** What stands between the password and a session; null where there is no second factor. */
  challengeFor(
    account: ProvenAccount,
    client: { address: string; userAgent: string },
  ): Promise<Static<typeof FactorChallenge> | null>;
  rateLimits?: Pick<RateLimits, 'limit'>;
  publicOrigin(): string;
  nowMs(): number;
}

const Login = Type.Object(
  {
    login: Type.String({ minLength: 1, maxLength: 320, description: 'Username, or address of mail.' }),
    password: Type.String({ minLength: 1, maxLength: 1_000 }),
    device: Type.Optional(Label),
    as: Type.Optional(TokenPlace),
  },
  { ...strict, title: 'Login' },
);

/** Logging in and staying so. */
export const sessionRoutes = (ports: SessionRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/sessions',
    consumer: 'People',
    summary: 'Log in by a password. 202: a second factor is asked for.',
    allow: 'public',
    body: Login,
    reply: { 201: SessionGrant, 202: FactorChallenge },
    refuses: [
      'credentials-invalid',
      'email-unverified',
      'login-locked',
      'login-busy',
      'login-outdated',
      'rate-limited',
    ],
    handle: async ({ body, address, userAgent = '' }) => {
      await ports.rateLimits?.limit('login-address', addressKey(address));
      const { login, password, device = '', as = 'body' } = body;
      const account = await ports.accounts.checkPassword({ login, password, address });
      const challenge = await ports.challengeFor(account, { address, userAgent });
      if (challenge !== null) return answer(challenge, { status: 202 });
      const tokens = await ports.sessions.open(account, { name: device, userAgent, address });
      return sessionAnswer(tokens, { as, origin: ports.publicOrigin(), status: 201, nowMs: ports.nowMs() });
    },
  }),
  route({
    method: 'POST',
    path: '/v1/sessions/refresh',
    consumer: 'People',
    summary: 'New tokens for a refresh token, which works once. A browser sends its cookie and an empty object.',
    allow: 'public',
    body: Type.Object(
      { refreshToken: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
      { ...strict, title: 'Refresh' },
    ),
    reply: { 200: SessionGrant },
    refuses: ['refresh-invalid', 'rate-limited'],
    handle: async ({ body, address, userAgent = '', cookie }) => {
      await ports.rateLimits?.limit('refresh-address', addressKey(address));
      const origin = ports.publicOrigin();
      const kept = cookie(sessionCookies(origin).refresh);
      const refreshToken = body.refreshToken ?? kept;
      if (refreshToken === undefined) throw new RegistryRefusal('refresh-invalid');
      const tokens = await ports.sessions.refresh(refreshToken, { userAgent, address });
      const as = body.refreshToken === undefined ? 'cookies' : 'body';
      return sessionAnswer(tokens, { as, origin, status: 200, nowMs: ports.nowMs() });
    },
  }),
  ...ownSessionRoutes(ports),
];

const ownSessionRoutes = ({ sessions, publicOrigin }: SessionRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/sessions',
    consumer: 'People',
    summary: 'Where you are logged in.',
    allow: 'account',
    reply: { 200: Type.Object({ items: Type.Array(Session), nextCursor: Type.Null() }, { title: 'Sessions' }) },
    refuses: [],
    handle: async ({ person }) => {
      const items = await sessions.list(person);
      return { items: items.map((each) => ({ ...each, current: each.id === person.sessionId })), nextCursor: null };
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sessions/current',
    consumer: 'People',
    summary: 'Log out.',
    allow: 'account',
    reply: { 204: null },
    refuses: ['session-unknown'],
    handle: async ({ person }) => {
      await sessions.end(person, person.sessionId);
      return answer(undefined, { headers: { 'Set-Cookie': withoutCookies(sessionCookies(publicOrigin())) } });
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sessions/:id',
    consumer: 'People',
    summary: 'End one of your sessions, at once and on every host.',
    allow: 'account',
    params: Type.Object({ id: Id }),
    reply: { 204: null },
    refuses: ['session-unknown'],
    handle: async ({ person, params }) => {
      await sessions.end(person, params.id);
      return answer(undefined);
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/sessions',
    consumer: 'People',
    summary: 'End all of your sessions; with `others` all but this one.',
    allow: 'account',
    query: Type.Object({ others: Type.Optional(Type.Boolean()) }, strict),
    reply: { 204: null },
    refuses: [],
    handle: async ({ person, query }) => {
      await sessions.endAll(person, { others: query.others ?? false });
      return answer(undefined);
    },
  }),
];
