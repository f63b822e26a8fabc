import { Type } from 'typebox';
import type { Ratings } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { Id, nullable, page, pageFields, Slug, strict, Timestamp } from './fields.ts';

/** Text of several lines: no control characters but line ends and tabs. */
const text = (minLength: number, maxLength: number) =>
  Type.String({ minLength, maxLength, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$' });

const Rating = Type.Object(
  {
    id: Id,
    plugin: Type.String(),
    stars: Type.Integer({ minimum: 1, maximum: 5 }),
    body: Type.String(),
    version: Type.String({ description: 'That its author had installed.' }),
    own: Type.Boolean({ description: 'Whether your organisation wrote it.' }),
    helpful: Type.Integer(),
    unhelpful: Type.Integer(),
    hidden: nullable(
      Type.String({
        description: 'Why a moderator hid it; only its own organisation and moderators see such ratings.',
      }),
    ),
    reply: nullable(Type.Object({ body: Type.String(), at: Timestamp })),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Rating' },
);
const Report = Type.Object(
  { id: Id, rating: Rating, reason: Type.String(), createdAt: Timestamp },
  { title: 'RatingReport' },
);

export interface RatingRoutePorts {
  ratings: Ratings;
  /** None where nothing is limited. */
  rateLimits?: Pick<RateLimits, 'limit'>;
}

const PLUGIN_PATH = '/v1/catalogue/:publisher/:name/ratings';
const PluginParams = Type.Object({ publisher: Slug, name: Slug });
const RatingParams = Type.Object({ id: Id });
const nameOf = ({ publisher, name }: { publisher: string; name: string }) => `${publisher}/${name}`;

/** What those who installed a plugin think of it. */
export const ratingRoutes = (ports: RatingRoutePorts): Route[] => [
  ...writtenRatingRoutes(ports),
  ...judgedRatingRoutes(ports),
];

const writtenRatingRoutes = ({ ratings, rateLimits }: RatingRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: PLUGIN_PATH,
    consumer: 'Operators',
    summary: 'What those who installed a plugin say of it, newest first.',
    allow: ['plugin:read'],
    params: PluginParams,
    query: Type.Object(pageFields, strict),
    reply: { 200: page(Rating, 'Ratings') },
    refuses: ['cursor-invalid'],
    handle: ({ principal, params, query }) => ratings.list(principal, { ...query, plugin: nameOf(params) }),
  }),
  route({
    method: 'PUT',
    path: `${PLUGIN_PATH}/own`,
    consumer: 'Operators',
    summary: 'Rate a plugin that your organisation has, or had. It has one voice: this replaces what it said before.',
    allow: ['rating:write'],
    params: PluginParams,
    body: Type.Object(
      { stars: Type.Integer({ minimum: 1, maximum: 5 }), body: text(0, 4_000) },
      { ...strict, title: 'NewRating' },
    ),
    reply: { 200: Rating },
    refuses: ['plugin-unlisted', 'rating-not-installed', 'rating-own-plugin'],
    handle: async ({ principal, params, body }) => {
      await rateLimits?.limit('rating-organisation', principal.organisation.id);
      return ratings.rate(principal, { ...body, plugin: nameOf(params) });
    },
  }),
  route({
    method: 'DELETE',
    path: `${PLUGIN_PATH}/own`,
    consumer: 'Operators',
    summary: 'Withdraw what your organisation said of a plugin. Safe to repeat.',
    allow: ['rating:write'],
    params: PluginParams,
    reply: { 204: null },
    refuses: [],
    handle: async ({ principal, params }) => {
      await ratings.withdraw(principal, nameOf(params));
      return undefined;
    },
  }),
];

const judgedRatingRoutes = ({ ratings, rateLimits }: RatingRoutePorts): Route[] => [
  route({
    method: 'PUT',
    path: '/v1/ratings/:id/vote',
    consumer: 'Operators',
    summary: "Say whether another organisation's rating was helpful; null takes the vote back.",
    allow: ['rating:write'],
    params: RatingParams,
    body: Type.Object({ helpful: nullable(Type.Boolean()) }, { ...strict, title: 'RatingVote' }),
    reply: { 200: Rating },
    refuses: ['rating-unknown', 'rating-own', 'rating-own-plugin'],
    handle: ({ principal, params, body }) => ratings.vote(principal, params.id, body.helpful),
  }),
  route({
    method: 'PUT',
    path: '/v1/ratings/:id/reply',
    consumer: 'Publishers',
    summary: 'Reply to a rating of an own plugin; null takes the reply back.',
    allow: ['rating:reply'],
    params: RatingParams,
    body: Type.Object({ body: nullable(text(1, 4_000)) }, { ...strict, title: 'RatingReply' }),
    reply: { 200: Rating },
    refuses: ['rating-unknown'],
    handle: async ({ principal, params, body }) => {
      await rateLimits?.limit('rating-organisation', principal.organisation.id);
      return ratings.reply(principal, params.id, body.body);
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/ratings/:id/report',
    consumer: 'Operators',
    summary: 'Tell the moderators what is wrong with a rating; once for each organisation.',
    allow: ['rating:write', 'rating:reply'],
    params: RatingParams,
    body: Type.Object({ reason: text(1, 1_000) }, { ...strict, title: 'NewRatingReport' }),
    reply: { 204: null },
    refuses: ['rating-unknown', 'rating-own'],
    handle: async ({ principal, params, body }) => {
      await ratings.report(principal, params.id, body.reason);
      return undefined;
    },
  }),
  route({
    method: 'GET',
    path: '/v1/rating-reports',
    consumer: 'Platform',
    summary: 'What was reported and not settled, oldest first.',
    allow: ['rating:moderate'],
    query: Type.Object(pageFields, strict),
    reply: { 200: page(Report, 'RatingReports') },
    refuses: ['cursor-invalid'],
    handle: ({ query }) => ratings.reports(query),
  }),
  route({
    method: 'PUT',
    path: '/v1/ratings/:id/moderation',
    consumer: 'Platform',
    summary: 'Hide a rating, with the reason, or with null let it stand; settles every report about it.',
    allow: ['rating:moderate'],
    params: RatingParams,
    body: Type.Object({ hide: nullable(text(1, 1_000)) }, { ...strict, title: 'RatingModeration' }),
    reply: { 200: Rating },
    refuses: ['rating-unknown'],
    handle: ({ principal, params, body }) => ratings.moderate(principal, params.id, body.hide),
  }),
];
