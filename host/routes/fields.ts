import { type Static, type TSchema, Type } from 'typebox';
import { SLUG_PATTERN } from '../../plugins-sdk/contract/index.ts';

/** Schemas that several route tables share. Objects with a title become named components of the OpenAPI document. */

export const strict = { additionalProperties: false };

export const oneOf = <Name extends string>(names: readonly Name[], description?: string) =>
  Type.Unsafe<Name>(Type.Union(names.map((name) => Type.Literal(name), { description })));

export const Id = Type.String({ format: 'uuid', description: 'UUID; version 7 where the client supplies it.' });
/** Names a person in an address. */
export const ByUsername = Type.Object({ username: Type.String({ pattern: '^[a-zA-Z0-9_]{3,20}$' }) });
export const Slug = Type.String({ pattern: SLUG_PATTERN, examples: ['acme-arcade'] });
export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC.' });
export const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, lower-case hex.' });
export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Unsafe<Static<Schema> | null>(Type.Union([schema, Type.Null()]));

/** Text for people: no control characters. */
export const Label = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });

export const PLUGIN_PATTERN = `${SLUG_PATTERN.slice(0, -1)}/${SLUG_PATTERN.slice(1)}`;
export const PluginName = Type.String({ pattern: PLUGIN_PATTERN, examples: ['acme/hello-http'] });
export const Version = Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9A-Za-z.-]+$', examples: ['1.2.3'] });

export const pageFields = {
  cursor: Type.Optional(
    Type.String({ maxLength: 1_024, pattern: '^[\\x21-\\x7e]+$', description: '`nextCursor` of the page before.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Default 50.' })),
};

export const page = <Item extends TSchema>(item: Item, title: string) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) }, { title });
