import { Type } from 'typebox';
import { type Route, route } from '../http/route.ts';
import type { Statistics } from '../statistics/contract.ts';
import { nullable, Slug, strict, Timestamp } from './fields.ts';

const DAY_PATTERN = '^[0-9]{4}-[0-9]{2}-[0-9]{2}$';
const Day = Type.String({ pattern: DAY_PATTERN, description: 'In UTC.', examples: ['2026-11-22'] });

const figures = {
  views: Type.Integer({ description: 'Of the listing; about one for each reader and day.' }),
  installs: Type.Integer(),
  updates: Type.Integer({ description: 'Installations that came to a release from another one.' }),
  uninstalls: Type.Integer(),
  active: Type.Integer({ description: 'Installations at the end.' }),
  use: nullable(
    Type.Object(
      {
        invocations: Type.Integer(),
        errors: Type.Integer(),
        errorRate: Type.Number(),
        p95Ms: nullable(Type.Number({ description: 'Of those that were answered, in steps of 19 %.' })),
        capabilities: Type.Array(Type.Object({ name: Type.String(), calls: Type.Integer(), refused: Type.Integer() })),
      },
      {
        title: 'PluginUse',
        description: 'Of days on which at least `operatorsMin` operators used it; null where there is none.',
      },
    ),
  ),
};
const frame = {
  from: Day,
  to: Day,
  countedAt: nullable(Timestamp),
  operatorsMin: Type.Integer({ description: 'Use is told only where so many operators made it.' }),
};

const PluginStatistics = Type.Object(
  {
    plugin: Type.String(),
    ...frame,
    total: Type.Object(figures, { title: 'PluginFigures' }),
    days: Type.Array(Type.Object({ day: Day, ...figures })),
    releases: Type.Array(
      Type.Object({
        version: nullable(
          Type.String({ description: 'Null: releases that too few operators used, together with one of enough.' }),
        ),
        ...figures,
      }),
    ),
  },
  { title: 'PluginStatistics' },
);
const PublisherStatistics = Type.Object(
  { publisher: Type.String(), ...frame, plugins: Type.Array(Type.Object({ plugin: Type.String(), ...figures })) },
  { title: 'PublisherStatistics' },
);

const Range = Type.Object(
  {
    from: Type.Optional(Type.String({ pattern: DAY_PATTERN, description: 'Default: 29 days before `to`.' })),
    to: Type.Optional(
      Type.String({ pattern: DAY_PATTERN, description: 'Belongs to the range. Default: today, in UTC.' }),
    ),
  },
  strict,
);

export interface StatisticsRoutePorts {
  statistics: Statistics;
}

/** What publishers are told about the use of their plugins. */
export const statisticsRoutes = ({ statistics }: StatisticsRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/plugins/:publisher/:name/statistics',
    consumer: 'Publishers',
    summary:
      'Views, installations and use of an own plugin by day and by release: sums over all operators, never who they are.',
    allow: ['statistics:read'],
    params: Type.Object({ publisher: Slug, name: Slug }),
    query: Range,
    reply: { 200: PluginStatistics },
    refuses: ['plugin-unknown', 'statistics-range-invalid'],
    handle: ({ principal, params: { publisher, name }, query }) =>
      statistics.ofPlugin(principal, `${publisher}/${name}`, query),
  }),
  route({
    method: 'GET',
    path: '/v1/publishers/:slug/statistics',
    consumer: 'Publishers',
    summary: 'Views, installations and use of every own plugin, added up.',
    allow: ['statistics:read'],
    params: Type.Object({ slug: Slug }),
    query: Range,
    reply: { 200: PublisherStatistics },
    refuses: ['organisation-foreign', 'statistics-range-invalid'],
    handle: ({ principal, params, query }) => statistics.ofPublisher(principal, params.slug, query),
  }),
];
