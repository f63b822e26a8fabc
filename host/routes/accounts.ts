import { Type } from 'typebox';
import {
  type Accounts,
  type Membership,
  normalEmail,
  PERMISSIONS,
  RegistryRefusal,
  type Role,
} from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { ByUsername, Id, nullable, oneOf, strict, Timestamp } from './fields.ts';

const ROLES = Object.keys(PERMISSIONS) as Role[];

/** Bounds of size only: what fits is said by the registry, all faults at once. */
const Written = Type.String({ maxLength: 1_000 });
const Code = Type.String({ minLength: 1, maxLength: 100, description: 'From the mail.' });
const Address = Type.Object({ email: Written }, { ...strict, title: 'MailAddress' });

/** Said whatever comes of it. */
const Accepted = Type.Object({ accepted: Type.Boolean() }, { title: 'Accepted' });

const Account = Type.Object({ id: Id, username: Type.String() }, { title: 'Account' });

const Profile = Type.Object(
  {
    id: Id,
    username: Type.String(),
    state: Type.String(),
    email: nullable(Type.Object({ address: Type.String(), verified: Type.Boolean() })),
    phone: nullable(Type.String({ description: 'E.164.' })),
    hasPassword: Type.Boolean(),
    createdAt: Timestamp,
    memberships: Type.Array(Type.Object({ organisation: Type.String({ description: 'Slug.' }), role: oneOf(ROLES) })),
  },
  { title: 'Profile' },
);

export interface AccountRoutePorts {
  accounts: Accounts;
  membershipsOf(accountId: string): Promise<Membership[]>;
  rateLimits?: Pick<RateLimits, 'limit'>;
}

const Registration = Type.Object(
  {
    username: Written,
    password: Written,
    email: Written,
    phone: Type.Optional(
      Type.Object(
        { country: Type.String({ maxLength: 10, examples: ['CN'] }), number: Type.String({ maxLength: 50 }) },
        strict,
      ),
    ),
  },
  { ...strict, title: 'Registration' },
);

/** Accounts of people: making one, and what its owner does with it. */
export const accountRoutes = (ports: AccountRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/accounts',
    consumer: 'People',
    summary: 'Register. A code goes to the address; the answer does not say whether somebody has it already.',
    allow: 'public',
    body: Registration,
    reply: { 202: Account },
    refuses: ['account-invalid', 'username-taken', 'login-busy', 'rate-limited'],
    handle: async ({ body, address }) => {
      await ports.rateLimits?.limit('registration-address', addressKey(address));
      return ports.accounts.register(body);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/accounts/verification',
    consumer: 'People',
    summary: 'Confirm the address by the code from the mail.',
    allow: 'public',
    body: Type.Object({ code: Code }, { ...strict, title: 'VerificationCode' }),
    reply: { 200: Account },
    refuses: ['code-invalid', 'rate-limited'],
    handle: async ({ body, address }) => {
      await ports.rateLimits?.limit('registration-address', addressKey(address));
      return ports.accounts.verifyEmail(body.code);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/accounts/verification-mails',
    consumer: 'People',
    summary: 'Send the code again, where an account waits for it.',
    allow: 'public',
    body: Address,
    reply: { 202: Accepted },
    refuses: ['rate-limited'],
    handle: async ({ body, address }) => {
      await ports.rateLimits?.limit('registration-address', addressKey(address));
      // The same whether or not somebody has it: the answer tells nobody.
      await ports.rateLimits?.limit('mail-account', normalEmail(body.email));
      ports.accounts.resendVerification(body.email);
      return { accepted: true };
    },
  }),
  ...passwordRoutes(ports),
  ...ownAccountRoutes(ports),
  ...accountSupportRoutes(ports),
];

const passwordRoutes = (ports: AccountRoutePorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/accounts/password-resets',
    consumer: 'People',
    summary: 'Send a code that sets a new password, where an account has this address.',
    allow: 'public',
    body: Address,
    reply: { 202: Accepted },
    refuses: ['rate-limited'],
    handle: async ({ body, address }) => {
      await ports.rateLimits?.limit('reset-address', addressKey(address));
      // The same whether or not somebody has it: the answer tells nobody.
      await ports.rateLimits?.limit('mail-account', normalEmail(body.email));
      ports.accounts.requestPasswordReset(body.email);
      return { accepted: true };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/accounts/password-resets/confirmation',
    consumer: 'People',
    summary: 'Set a new password by the code from the mail. Ends every session.',
    allow: 'public',
    body: Type.Object({ code: Code, password: Written }, { ...strict, title: 'PasswordReset' }),
    reply: { 204: null },
    refuses: ['code-invalid', 'account-invalid', 'login-busy', 'rate-limited'],
    handle: async ({ body, address }) => {
      await ports.rateLimits?.limit('reset-address', addressKey(address));
      await ports.accounts.resetPassword(body);
      return answer(undefined);
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/account/password',
    consumer: 'People',
    summary: 'Change your password. Ends your other sessions.',
    allow: 'account',
    body: Type.Object({ currentPassword: Written, password: Written }, { ...strict, title: 'PasswordChange' }),
    reply: { 204: null },
    refuses: ['password-wrong', 'account-invalid', 'login-locked', 'login-busy'],
    handle: async ({ person, body, address }) => {
      await ports.accounts.changePassword(person.account, { ...body, address, sessionId: person.sessionId });
      return answer(undefined);
    },
  }),
];

const ownAccountRoutes = (ports: AccountRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/account',
    consumer: 'People',
    summary: 'Your account, and the organisations that you may act for.',
    allow: 'account',
    reply: { 200: Profile },
    refuses: [],
    handle: async ({ person }) => {
      const { id } = person.account;
      const [profile, memberships] = await Promise.all([ports.accounts.profile(id), ports.membershipsOf(id)]);
      const named = memberships.map(({ organisation, role }) => ({ organisation: organisation.slug, role }));
      return { ...profile, memberships: named };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/account/deactivation',
    consumer: 'People',
    summary: 'Deactivate your account. Ends every session; an admin can bring it back.',
    allow: 'account',
    body: Type.Object({ password: Written }, { ...strict, title: 'Deactivation' }),
    reply: { 204: null },
    refuses: ['credentials-invalid', 'login-locked', 'login-busy'],
    handle: async ({ person, body, address }) => {
      const { id, username } = person.account;
      await ports.accounts.checkPassword({ login: username, password: body.password, address });
      await ports.accounts.deactivate(person, id);
      return answer(undefined);
    },
  }),
];

const accountSupportRoutes = ({ accounts }: AccountRoutePorts): Route[] => {
  /** Refuses with: account-unknown. */
  const idOf = async (username: string): Promise<string> => {
    const found = await accounts.findByUsername(username, { anyState: true });
    if (found === null) throw new RegistryRefusal('account-unknown');
    return found.id;
  };
  return [
    route({
      method: 'DELETE',
      path: '/v1/accounts/:username/lockout',
      consumer: 'Platform',
      summary: 'Let somebody try to log in again. Safe to repeat.',
      allow: ['account:unlock'],
      params: ByUsername,
      reply: { 204: null },
      refuses: ['account-unknown'],
      handle: async ({ principal, params }) => {
        await accounts.unlock(principal, await idOf(params.username));
        return answer(undefined);
      },
    }),
    route({
      method: 'PUT',
      path: '/v1/accounts/:username/deactivation',
      consumer: 'Platform',
      summary: 'Deactivate an account and end its sessions. Safe to repeat.',
      allow: ['account:unlock'],
      params: ByUsername,
      reply: { 204: null },
      refuses: ['account-unknown'],
      handle: async ({ principal, params }) => {
        await accounts.deactivate(principal, await idOf(params.username));
        return answer(undefined);
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/accounts/:username/deactivation',
      consumer: 'Platform',
      summary: 'Bring a deactivated account back. Safe to repeat.',
      allow: ['account:unlock'],
      params: ByUsername,
      reply: { 204: null },
      refuses: ['account-unknown'],
      handle: async ({ principal, params }) => {
        await accounts.reactivate(principal, await idOf(params.username));
        return answer(undefined);
      },
    }),
  ];
};
