import { Type } from 'typebox';
import { CAPABILITY_NAMES, CATEGORIES, type Manifest, ManifestSchema } from '../../plugins-sdk/contract/index.ts';
import { CATALOGUE_SORTS, type Catalogue } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { nullable, oneOf, page, pageFields, Slug, strict, Timestamp } from './fields.ts';

const Standing = Type.Object(
  {
    score: Type.Number({ description: '0 to 1: what `popular` sorts by.' }),
    rating: nullable(Type.Number({ description: 'Mean of the stars, 1 to 5; null without any.' })),
    ratings: Type.Integer(),
    operators: Type.Integer({ description: 'Owners of operators that have it installed.' }),
  },
  { title: 'PluginStanding' },
);

const CataloguePlugin = Type.Object(
  {
    plugin: Type.String(),
    title: Type.String(),
    description: Type.String(),
    category: Type.String(),
    kind: oneOf(['plugin', 'game']),
    latestVersion: Type.String(),
    capabilities: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() })),
    pricing: Type.Optional(nullable(Type.Unsafe<NonNullable<Manifest['pricing']>>(ManifestSchema.properties.pricing))),
    publishedAt: Timestamp,
    standing: nullable(Standing),
  },
  { title: 'CataloguePlugin' },
);

const found = page(CataloguePlugin, 'CataloguePlugins');
const CataloguePage = Type.Object(
  {
    ...found.properties,
    correctedSearch: nullable(
      Type.String({ description: 'What was searched for instead, where a word that no plugin has looks like a slip.' }),
    ),
  },
  { title: 'CataloguePage' },
);

const Ranking = Type.Object(
  {
    plugin: Type.String(),
    score: Type.Number({ description: '0 to 1: the sum of the points.' }),
    place: Type.Integer({ description: 'Among all plugins by score, from 1.' }),
    of: Type.Integer(),
    terms: Type.Array(
      Type.Object({
        term: oneOf(['rating', 'operators', 'retention', 'uninstalls', 'faults', 'recency']),
        weight: Type.Number(),
        value: Type.Number({ description: '0 to 1.' }),
        points: Type.Number({ description: 'Weight times value.' }),
        facts: Type.Record(Type.String(), nullable(Type.Number()), {
          description: 'What the value was computed from.',
        }),
      }),
    ),
  },
  { title: 'PluginRanking' },
);

export interface CataloguePorts {
  catalogue: Pick<Catalogue, 'search' | 'categories' | 'alike' | 'ranking'>;
}

const consumer = 'Operators';

export const catalogueRoutes = ({ catalogue }: CataloguePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/catalogue',
    consumer,
    summary: 'Search the marketplace: in English, Chinese and other languages, and with a slip here and there.',
    allow: ['plugin:read'],
    strangers: true,
    query: Type.Object(
      {
        ...pageFields,
        search: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 100,
            pattern: '^[^\\u0000-\\u001f\\u007f]*$',
            description: 'Every word has to be found, in whole or its beginning.',
          }),
        ),
        category: Type.Optional(oneOf(CATEGORIES)),
        kind: Type.Optional(oneOf(['plugin', 'game'])),
        price: Type.Optional(oneOf(['free', 'paid'])),
        without: Type.Optional(
          Type.String({
            pattern: `^(?:${CAPABILITY_NAMES.join('|')})(?:,(?:${CAPABILITY_NAMES.join('|')}))*$`,
            maxLength: 300,
            description: 'Capabilities that the plugin must not ask for, with commas between them.',
          }),
        ),
        sort: Type.Optional(oneOf(CATALOGUE_SORTS, 'Default: `relevance` with a search, else `popular`.')),
      },
      strict,
    ),
    reply: { 200: CataloguePage },
    refuses: ['cursor-invalid'],
    handle: ({ query: { without, ...query } }) =>
      catalogue.search({ ...query, ...(without !== undefined && { without: without.split(',') }) }),
  }),
  route({
    method: 'GET',
    path: '/v1/catalogue/categories',
    consumer,
    summary: 'The categories that are not empty, with how many plugins each has.',
    allow: ['plugin:read'],
    strangers: true,
    reply: {
      200: Type.Object({ items: Type.Array(Type.Object({ category: Type.String(), plugins: Type.Integer() })) }),
    },
    refuses: [],
    handle: async () => ({ items: await catalogue.categories() }),
  }),
  route({
    method: 'GET',
    path: '/v1/catalogue/:publisher/:name/alike',
    consumer,
    summary: 'What operators of this plugin use as well: at least three of them, the likest first.',
    allow: ['plugin:read'],
    strangers: true,
    params: Type.Object({ publisher: Slug, name: Slug }),
    reply: { 200: Type.Object({ items: Type.Array(CataloguePlugin) }) },
    refuses: ['plugin-unlisted'],
    handle: async ({ params: { publisher, name } }) => ({ items: await catalogue.alike(`${publisher}/${name}`) }),
  }),
  route({
    method: 'GET',
    path: '/v1/catalogue/:publisher/:name/ranking',
    consumer,
    summary:
      'Why a plugin stands where it stands: each term of its score, with its weight and what it was computed from.',
    allow: ['plugin:read'],
    strangers: true,
    params: Type.Object({ publisher: Slug, name: Slug }),
    reply: { 200: Ranking },
    refuses: ['plugin-unlisted'],
    handle: ({ params: { publisher, name } }) => catalogue.ranking(`${publisher}/${name}`),
  }),
];
