import { Type } from 'typebox';
import type { Organisations } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { Id, nullable, oneOf, Slug, strict, Timestamp } from './fields.ts';
import { MEMBER_ROLES, Membership } from './members.ts';

const Invitation = Type.Object(
  {
    id: Id,
    organisation: Slug,
    role: oneOf(MEMBER_ROLES),
    addressHint: nullable(Type.String({ description: 'Whom it is for; null: for whoever has the link first.' })),
    createdAt: Timestamp,
    expiresAt: Timestamp,
    state: oneOf(['open', 'accepted', 'declined', 'revoked', 'expired']),
  },
  { title: 'Invitation' },
);

const NewInvitation = Type.Object(
  {
    organisation: Type.Optional(Slug),
    role: oneOf(MEMBER_ROLES),
    address: Type.Optional(
      Type.String({
        maxLength: 254,
        pattern: '^[^\\s@\\u0000-\\u001f\\u007f]{1,64}@[^\\s@\\u0000-\\u001f\\u007f]{1,189}$',
        description: 'It is then for who has verified this address, and sent there.',
      }),
    ),
    asLink: Type.Optional(Type.Boolean({ description: 'Send nothing: you hand over the secret yourself.' })),
    expiresInSeconds: Type.Optional(
      Type.Integer({ minimum: 3_600, maximum: 2_592_000, description: 'Default 7 days.' }),
    ),
  },
  { ...strict, title: 'NewInvitation' },
);
const Secret = Type.Object(
  { secret: Type.String({ pattern: '^ghi_[A-Za-z0-9_-]{43}$', description: 'Of the invitation.' }) },
  { ...strict, title: 'InvitationSecret' },
);

export interface InvitationPorts {
  organisations: Organisations;
  rateLimits?: Pick<RateLimits, 'limit'>;
}

/** How somebody becomes a member. */
export const invitationRoutes = (ports: InvitationPorts): Route[] => [...hostRoutes(ports), ...guestRoutes(ports)];

const hostRoutes = ({ organisations, rateLimits }: InvitationPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/invitations',
    consumer: 'Everybody',
    summary: 'Invite somebody, by mail or by a secret that you hand over. Admins may name any organisation.',
    allow: ['member:invite'],
    stepUp: true,
    body: NewInvitation,
    reply: {
      201: Type.Object(
        {
          invitation: Invitation,
          secret: nullable(Type.String({ description: 'Shown this once; null where it was mailed.' })),
        },
        { title: 'IssuedInvitation' },
      ),
    },
    refuses: ['organisation-unknown', 'organisation-foreign', 'role-not-allowed', 'invitations-too-many'],
    handle: async ({ principal, body }) => {
      await rateLimits?.limit('invitation-organisation', principal.organisation.id);
      return organisations.invite(principal, body);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/invitations',
    consumer: 'Everybody',
    summary: "The organisation's invitations, newest first.",
    allow: ['member:invite'],
    reply: { 200: Type.Object({ items: Type.Array(Invitation), nextCursor: Type.Null() }, { title: 'Invitations' }) },
    refuses: [],
    handle: async ({ principal }) => ({ items: await organisations.listInvitations(principal), nextCursor: null }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/invitations/:id',
    consumer: 'Everybody',
    summary: 'Withdraw an invitation. Safe to repeat.',
    allow: ['member:invite'],
    params: Type.Object({ id: Id }),
    reply: { 200: Invitation },
    refuses: ['invitation-unknown'],
    handle: ({ principal, params }) => organisations.revokeInvitation(principal, params.id),
  }),
];

/** The secret comes in the body: addresses are written into logs. */
const guestRoutes = ({ organisations }: InvitationPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/invitations/reading',
    consumer: 'People',
    summary: 'What an invitation is about.',
    allow: 'account',
    body: Secret,
    reply: { 200: Invitation },
    refuses: ['invitation-unknown', 'invitation-for-another'],
    handle: ({ person, body }) => organisations.readInvitation(person, body.secret),
  }),
  route({
    method: 'POST',
    path: '/v1/invitations/acceptance',
    consumer: 'People',
    summary: 'Become a member.',
    allow: 'account',
    body: Secret,
    reply: { 200: Membership },
    refuses: ['invitation-unknown', 'invitation-for-another', 'member-already'],
    handle: ({ person, body }) => organisations.acceptInvitation(person, body.secret) as never,
  }),
  route({
    method: 'POST',
    path: '/v1/invitations/refusal',
    consumer: 'People',
    summary: 'Refuse an invitation.',
    allow: 'account',
    body: Secret,
    reply: { 204: null },
    refuses: ['invitation-unknown', 'invitation-for-another'],
    handle: async ({ person, body }) => {
      await organisations.declineInvitation(person, body.secret);
      return undefined;
    },
  }),
];
