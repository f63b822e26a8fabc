import type { TSchema } from 'typebox';
import { METHODS } from '../../plugins-sdk/contract/index.ts';
import type { ProblemCode } from './problem-codes.ts';
import { PROBLEM_MEDIA_TYPE, statusOf } from './problems.ts';
import { type Route, refusalsOf } from './route.ts';

type Json = { [key: string]: unknown };

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Explains the code to people.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri', description: 'urn:request:<id>, to quote in a report.' },
    code: { type: 'string', description: 'Permanent; the thing to program against.' },
    advice: { type: 'string', description: 'What can be done about it, for people.' },
    faults: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string', format: 'json-pointer' }, message: { type: 'string' } },
      },
    },
  },
  additionalProperties: true,
};

/** The route table as an OpenAPI 3.1 document. Schemas with a title become named components. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const schemas: Json = { Problem: PROBLEM };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  paths['/run/{operator}/{installation}/{path}'] = dataPlaneItem();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      description:
        'Publish, review, install and call plugins that run in isolates. Errors are problem details (RFC 9457) with a ' +
        'permanent `code`; `/problems` explains every one.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ consumer }) => consumer))].map((name) => ({ name })).concat({ name: 'Plugins' }),
    security: [{ token: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token, or the access token of a session.' },
      },
    },
  };
}

const openApiPath = (path: string): string => path.replace(/:([A-Za-z]+)/g, '{$1}');

const operationId = ({ method, path }: Route): string =>
  method.toLowerCase() +
  path
    .split(/[/:.]+/)
    .filter((part) => part !== '' && part !== 'v1')
    .map((part) => part[0]!.toUpperCase() + part.slice(1))
    .join('');

const STRANGERS = ' Without any credential it answers, too, where the host lets strangers read its catalogue.';

function needsOf(allow: Route['allow']): string | null {
  if (allow === 'account') return 'For people: needs the access token of a session, and takes no API token.';
  return typeof allow === 'string' ? null : `Needs ${allow.map((each) => `\`${each}\``).join(' or ')}.`;
}

function operation(route: Route, schemas: Json): Json {
  const { allow, body, params, query, summary, consumer } = route;
  const needs = needsOf(allow);
  return {
    operationId: operationId(route),
    tags: [consumer],
    summary,
    ...(needs === null ? {} : { description: needs + (route.strangers ? STRANGERS : '') }),
    ...(allow === 'public' ? { security: [] } : route.strangers ? { security: [{ token: [] }, {}] } : {}),
    parameters: [...parameters('path', params, schemas), ...parameters('query', query, schemas)],
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: hoisted(body, schemas) } } } }
      : {}),
    responses: { ...problems(refusalsOf(route)), ...replies(route, schemas) },
  };
}

function parameters(place: 'path' | 'query', schema: TSchema | undefined, schemas: Json): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: hoisted(field as TSchema, schemas),
  }));
}

function replies({ reply }: Route, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(reply).map(([status, schema]) => {
      const description =
        status === '204' ? 'Done.' : status === '201' ? 'Created.' : status === '200' ? 'OK.' : 'Not now.';
      if (schema === null) return [status, { description }];
      const { contentMediaType = 'application/json' } = schema as { contentMediaType?: string };
      return [status, { description, content: { [contentMediaType]: { schema: hoisted(schema, schemas) } } }];
    }),
  );
}

function problems(codes: readonly ProblemCode[]): Json {
  const statuses = [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: codes
          .filter((code) => statusOf(code) === status)
          .map((code) => `\`${code}\``)
          .join(', '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** A copy of a schema in which every titled part is a reference into `schemas`. */
function hoisted(schema: unknown, schemas: Json): unknown {
  if (Array.isArray(schema)) return schema.map((each) => hoisted(each, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Json = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, hoisted(value, schemas)]));
  // `properties` may have a member that is called title; that one is a schema and no text.
  if (typeof copy.title !== 'string' || !/^[A-Z][A-Za-z]+$/.test(copy.title)) return copy;
  schemas[copy.title] ??= copy;
  return { $ref: `#/components/schemas/${copy.title}` };
}

/** The one address that is no route of the table: what is behind it, its plugin's manifest says. */
function dataPlaneItem(): Json {
  const text = { type: 'string' };
  const parameter = (name: string, description: string) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: text,
  });
  const run = (method: string) => ({
    operationId: `${method.toLowerCase()}Run`,
    tags: ['Plugins'],
    summary: 'Call a plugin. Its manifest says which routes it has and who may call them.',
    security: [{}, { token: [] }],
    responses: {
      '200': { description: "The plugin's answer: any status from 200 to 599, with `X-Gatehouse-Invocation`." },
      default: {
        description: 'The request was refused, or the plugin did something wrong.',
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  });
  return {
    parameters: [
      parameter('operator', 'Slug of the operator.'),
      parameter('installation', 'Slug of the installation.'),
      parameter('path', 'The rest of the path, slashes included.'),
    ],
    ...Object.fromEntries(METHODS.map((method) => [method.toLowerCase(), run(method)])),
  };
}
