import { Type } from 'typebox';
import { type MemberRole, type Organisations, type Principal, ROLES_OF_KIND } from '../../registry/index.ts';
import { answer, type Route, route } from '../http/route.ts';
import { Id, Label, oneOf, Slug, strict, Timestamp } from './fields.ts';

export const MEMBER_ROLES = Object.values(ROLES_OF_KIND)
  .flat()
  .filter((role): role is MemberRole => role !== 'caller');

const Organisation = Type.Object(
  { id: Id, slug: Slug, kind: oneOf(['publisher', 'operator', 'platform']), name: Label },
  { title: 'Organisation' },
);
export const Membership = Type.Object(
  { organisation: Organisation, role: oneOf(MEMBER_ROLES) },
  { title: 'Membership' },
);
const Member = Type.Object(
  { accountId: Id, username: Type.String(), role: oneOf(MEMBER_ROLES), since: Timestamp },
  { title: 'Member' },
);
const Side = Type.Object({ accountId: Id, username: Type.String() });
const Offer = Type.Object(
  { id: Id, organisation: Slug, from: Side, to: Side, createdAt: Timestamp, expiresAt: Timestamp },
  { title: 'OwnershipOffer' },
);
const whole = <Item extends Parameters<typeof Type.Array>[0]>(item: Item, title: string) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Null() }, { title });
const ById = Type.Object({ id: Id });

export interface MemberPorts {
  organisations: Organisations;
}

/** Who belongs to an organisation as what, and how that ends. */
export const memberRoutes = (ports: MemberPorts): Route[] => [
  ...ownMembershipRoutes(ports),
  ...memberListRoutes(ports),
  ...ownershipRoutes(ports),
];

const ownMembershipRoutes = ({ organisations }: MemberPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/memberships',
    consumer: 'People',
    summary: 'The organisations that you may act for.',
    allow: 'account',
    reply: { 200: whole(Membership, 'Memberships') },
    refuses: [],
    handle: async ({ person }) => ({
      items: (await organisations.membershipsOf(person.account.id)) as never,
      nextCursor: null,
    }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/memberships/:slug',
    consumer: 'People',
    summary: 'Leave an organisation. Tokens that you answer for there are revoked.',
    allow: 'account',
    params: Type.Object({ slug: Slug }),
    reply: { 204: null },
    refuses: ['member-unknown', 'last-owner'],
    handle: async ({ person, params }) => {
      await organisations.leave(person, params.slug);
      return undefined;
    },
  }),
  route({
    method: 'POST',
    path: '/v1/account/organisations',
    consumer: 'People',
    summary: 'Register an organisation of your own. Safe to repeat with the same id.',
    allow: 'account',
    body: Type.Object(
      { id: Id, slug: Slug, kind: oneOf(['publisher', 'operator']), name: Label },
      { ...strict, title: 'OwnOrganisation' },
    ),
    reply: { 201: Organisation },
    refuses: ['slug-taken', 'organisation-id-taken', 'organisations-too-many'],
    handle: async ({ person, body }) => {
      const created = await organisations.registerOrganisation(person, body);
      return answer(created, { headers: { Location: `/v1/organisations/${created.slug}` } });
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/organisations/:slug',
    consumer: 'Everybody',
    summary: 'Give an organisation another name.',
    allow: ['organisation:update'],
    params: Type.Object({ slug: Slug }),
    body: Type.Object({ name: Label }, { ...strict, title: 'OrganisationChange' }),
    reply: { 200: Organisation },
    refuses: ['organisation-unknown', 'organisation-foreign'],
    handle: ({ principal, params, body }) =>
      organisations.renameOrganisation(principal, { organisation: params.slug, name: body.name }),
  }),
];

const memberListRoutes = ({ organisations }: MemberPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/members',
    consumer: 'Everybody',
    summary: 'The members of the organisation, by name. Admins may name any organisation.',
    allow: ['member:read'],
    query: Type.Object({ organisation: Type.Optional(Slug) }, strict),
    reply: { 200: whole(Member, 'Members') },
    refuses: ['organisation-unknown', 'organisation-foreign'],
    handle: async ({ principal, query }) => ({
      items: await organisations.listMembers(principal, query.organisation),
      nextCursor: null,
    }),
  }),
  route({
    method: 'PATCH',
    path: '/v1/members/:id',
    consumer: 'Everybody',
    summary: 'Give a member another role. It counts at once, for their sessions and their tokens.',
    allow: ['member:update'],
    stepUp: true,
    params: ById,
    body: Type.Object({ role: oneOf(MEMBER_ROLES) }, { ...strict, title: 'MemberChange' }),
    reply: { 200: Member },
    refuses: ['member-unknown', 'role-not-allowed', 'last-owner'],
    handle: ({ principal, params, body }) =>
      organisations.changeRole(principal, { accountId: params.id, role: body.role }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/members/:id',
    consumer: 'Everybody',
    summary: 'Remove a member. Their sessions lose the organisation at once; tokens that they answer for are revoked.',
    allow: ['member:remove'],
    stepUp: true,
    params: ById,
    reply: { 204: null },
    refuses: ['member-unknown', 'role-not-allowed', 'last-owner'],
    handle: async ({ principal, params }) => {
      await organisations.removeMember(principal, params.id);
      return undefined;
    },
  }),
];

const ownershipRoutes = ({ organisations }: MemberPorts): Route[] => [
  route({
    method: 'POST',
    path: '/v1/ownership-offers',
    consumer: 'Everybody',
    summary: 'Offer the organisation to another member, who becomes the owner in your place by accepting.',
    allow: ['organisation:transfer'],
    stepUp: true,
    body: Type.Object({ accountId: Id }, { ...strict, title: 'NewOwnershipOffer' }),
    reply: { 201: Offer },
    refuses: ['member-unknown', 'role-not-allowed', 'ownership-offer-pending'],
    handle: ({ principal, body }) => organisations.offerOwnership(principal as Principal, body.accountId),
  }),
  route({
    method: 'GET',
    path: '/v1/ownership-offers',
    consumer: 'People',
    summary: 'Open offers that you have made or received.',
    allow: 'account',
    reply: { 200: whole(Offer, 'OwnershipOffers') },
    refuses: [],
    handle: async ({ person }) => ({ items: await organisations.listOffers(person), nextCursor: null }),
  }),
  route({
    method: 'POST',
    path: '/v1/ownership-offers/:id/acceptance',
    consumer: 'People',
    summary: 'Become the owner; who was it takes the role that you had.',
    allow: 'account',
    stepUp: true,
    params: ById,
    reply: { 200: Membership },
    refuses: ['ownership-offer-unknown'],
    handle: ({ person, params }) => organisations.acceptOwnership(person, params.id) as never,
  }),
  route({
    method: 'DELETE',
    path: '/v1/ownership-offers/:id',
    consumer: 'People',
    summary: 'Withdraw an offer that you made, or refuse one that you received.',
    allow: 'account',
    params: ById,
    reply: { 204: null },
    refuses: ['ownership-offer-unknown'],
    handle: async ({ person, params }) => {
      await organisations.endOffer(person, params.id);
      return undefined;
    },
  }),
];
