import { Type } from 'typebox';
import type { ReleaseLife } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import type { Releases } from '../releases/contract.ts';
import { Digest, Id, nullable, Slug, strict, Timestamp } from './fields.ts';
import { Release } from './release-fields.ts';

const Reach = Type.Object(
  {
    release: Type.Object({ id: Id, plugin: Type.String(), version: Type.String(), state: Type.String() }),
    installations: Type.Integer({ description: 'That run it, canaries among them.' }),
    invocationsPerDay: Type.Integer({ description: 'Of these installations within the last 24 hours.' }),
    operators: Type.Array(
      Type.Object({
        slug: Type.String(),
        installations: Type.Integer(),
        enabled: Type.Integer(),
        following: Type.Integer({ description: 'That follow a range, and take another release by themselves.' }),
      }),
      { description: 'The most installations first; at most 100.' },
    ),
    operatorCount: Type.Integer(),
    suggestedReplacement: nullable(Type.String()),
    digest: Digest,
  },
  { title: 'Reach' },
);
const Version = Type.String({ minLength: 5, maxLength: 64, pattern: '^[0-9A-Za-z.-]+$', examples: ['1.2.3'] });
const Reason = Type.String({ minLength: 1, maxLength: 1_000, description: 'Operators read it.' });
const notice = {
  reason: Reason,
  replacement: Type.Optional(Type.Unsafe<string>({ ...Version, description: 'A published version to take instead.' })),
};
const ById = Type.Object({ id: Id });
const ByPlugin = Type.Object({ publisher: Slug, name: Slug });
const Tag = Type.String({ minLength: 1, maxLength: 32, pattern: '^[a-z][a-z0-9-]*$', examples: ['beta'] });
const ByTag = Type.Object({ publisher: Slug, name: Slug, tag: Tag });
const Tags = Type.Object(
  {
    items: Type.Array(Type.Object({ tag: Type.String(), version: Type.String(), updatedAt: Timestamp })),
    nextCursor: Type.Null(),
  },
  { title: 'DistTags' },
);
const named = ({ publisher, name }: { publisher: string; name: string }) => `${publisher}/${name}`;

export interface ReleaseLifePorts {
  releases: Releases;
  releaseLife: ReleaseLife;
}

/** What publishers decide about what they have published. */
export const releaseLifeRoutes = (ports: ReleaseLifePorts): Route[] => [...noticeRoutes(ports), ...pluginRoutes(ports)];

const noticeRoutes = ({ releases, releaseLife }: ReleaseLifePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/releases/:id/reach',
    consumer: 'Publishers',
    summary: 'Who runs a release, and what to suggest to them instead: to be looked at before it is yanked.',
    allow: ['release:manage'],
    params: ById,
    reply: { 200: Reach },
    refuses: ['release-unknown'],
    handle: ({ principal, params }) => releases.reach(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/yank',
    consumer: 'Publishers',
    summary:
      'Let nobody install a release anew, for good; who runs it goes on and is told. `reach` is the digest of the reach that was looked at. Safe to repeat.',
    allow: ['release:manage'],
    stepUp: true,
    params: ById,
    body: Type.Object({ ...notice, reach: Digest }, { ...strict, title: 'Yank' }),
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'token-restricted', 'reach-changed'],
    handle: ({ principal, params, body }) => releases.yank(principal, params.id, body),
  }),
  route({
    method: 'PUT',
    path: '/v1/releases/:id/deprecation',
    consumer: 'Publishers',
    summary: 'Warn of a release; it is installed still. Safe to repeat.',
    allow: ['release:manage'],
    params: ById,
    body: Type.Object(notice, { ...strict, title: 'Deprecation' }),
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'token-restricted'],
    handle: ({ principal, params, body }) => releaseLife.deprecate(principal, params.id, body),
  }),
  route({
    method: 'DELETE',
    path: '/v1/releases/:id/deprecation',
    consumer: 'Publishers',
    summary: 'Warn of a release no more. Safe to repeat.',
    allow: ['release:manage'],
    params: ById,
    reply: { 200: Release },
    refuses: ['release-unknown', 'release-state-invalid', 'token-restricted'],
    handle: ({ principal, params }) => releaseLife.deprecate(principal, params.id, null),
  }),
];

const pluginRoutes = ({ releaseLife }: ReleaseLifePorts): Route[] => [
  route({
    method: 'PUT',
    path: '/v1/plugins/:publisher/:name/listing',
    consumer: 'Publishers',
    summary:
      'Show a plugin in the catalogue, or not; whoever knows its name can install it either way. Safe to repeat.',
    allow: ['release:manage'],
    params: ByPlugin,
    body: Type.Object({ listed: Type.Boolean() }, { ...strict, title: 'Listing' }),
    reply: { 200: Type.Object({ listed: Type.Boolean() }) },
    refuses: ['plugin-unknown', 'token-restricted'],
    handle: async ({ principal, params, body }) => {
      await releaseLife.setListed(principal, named(params), body.listed);
      return body;
    },
  }),
  route({
    method: 'GET',
    path: '/v1/plugins/:publisher/:name/dist-tags',
    consumer: 'Publishers',
    summary: 'The channels of a plugin; `latest` is the newest release.',
    allow: ['plugin:read'],
    params: ByPlugin,
    reply: { 200: Tags },
    refuses: ['plugin-unknown'],
    handle: async ({ params }) => ({ items: await releaseLife.listTags(named(params)), nextCursor: null }),
  }),
  route({
    method: 'PUT',
    path: '/v1/plugins/:publisher/:name/dist-tags/:tag',
    consumer: 'Publishers',
    summary: 'Let a channel point at a published version; installations that follow it take that. Safe to repeat.',
    allow: ['release:manage'],
    params: ByTag,
    body: Type.Object({ version: Version }, { ...strict, title: 'DistTag' }),
    reply: { 200: Tags },
    refuses: ['plugin-unknown', 'dist-tag-invalid', 'release-unknown', 'release-state-invalid', 'token-restricted'],
    handle: async ({ principal, params: { tag, ...plugin }, body }) => ({
      items: await releaseLife.setTag(principal, { plugin: named(plugin), tag, version: body.version }),
      nextCursor: null,
    }),
  }),
  route({
    method: 'DELETE',
    path: '/v1/plugins/:publisher/:name/dist-tags/:tag',
    consumer: 'Publishers',
    summary: 'Close a channel. Safe to repeat.',
    allow: ['release:manage'],
    params: ByTag,
    reply: { 200: Tags },
    refuses: ['plugin-unknown', 'dist-tag-invalid', 'token-restricted'],
    handle: async ({ principal, params: { tag, ...plugin } }) => ({
      items: await releaseLife.removeTag(principal, { plugin: named(plugin), tag }),
      nextCursor: null,
    }),
  }),
];
