import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  CAPABILITIES,
  CEILING_LIMITS,
  DEFAULT_LIMITS,
  EVENT_HOOKS,
  LIFECYCLE_HOOKS,
  type Limits,
  LimitsSchema,
  ManifestSchema,
  PLUGIN_FAULTS,
} from '../contract/index.ts';

/** What of a JSON schema is shown. */
interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  const?: unknown;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
}

const FOLDER = resolve(import.meta.dirname, '../../docs/authors');

/** Pages that are made of the contract, by file. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'reference.md': referencePage,
  'limits-and-errors.md': limitsPage,
};

export const readPublished = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

const NOTE = (file: string) =>
  `<!-- ${file} is made by \`node plugins-sdk/authors-docs/reference.ts\`; edit the contract instead. -->\n`;

/** In a cell of a table. */
const cell = (text: string): string => text.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim();
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function kindOf(schema: Schema): string {
  const choices = schema.anyOf?.every(({ const: value }) => value !== undefined) ? schema.anyOf : null;
  if (choices) return choices.map(({ const: value }) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.type === 'array') {
    return `list of ${kindOf(schema.items!)}${schema.maxItems ? `, at most ${schema.maxItems}` : ''}`;
  }
  if (schema.type === 'object') return schema.properties ? 'object' : 'JSON Schema';
  const bounds = [
    schema.minLength !== undefined && schema.minLength > 1 ? `from ${schema.minLength} characters` : '',
    schema.maxLength === undefined ? '' : `up to ${schema.maxLength} characters`,
    schema.minimum === undefined ? '' : `${schema.minimum} to ${schema.maximum}`,
  ].filter(Boolean);
  return [schema.type ?? 'anything', ...bounds].join(', ');
}

/** Rows for the members of an object, and below each those of its own members. */
function fieldRows(schema: Schema, path = ''): string[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !name.startsWith('$'))
    .flatMap(([name, member]) => {
      const here = path + name;
      const must = schema.required?.includes(name) ? 'yes' : '';
      const inner =
        member.type === 'array' ? { schema: member.items!, path: `${here}[].` } : { schema: member, path: `${here}.` };
      const own = row(`\`${here}\``, kindOf(member), must, member.description ?? member.items?.description ?? '');
      // Limits have a page of their own.
      return here === 'limits' ? [own] : [own, ...fieldRows(inner.schema, inner.path)];
    });
}

const hookRows = (hooks: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(hooks).map(([name, schema]) => row(`\`${name}\``, payloadOf(schema as Schema)));

/** `{ orderId, lines: [{ sku, quantity }], total? }` */
function payloadOf(schema: Schema): string {
  const shape = (each: Schema): string => {
    if (each.type === 'array') return `[${shape(each.items!)}]`;
    if (!each.properties) return '';
    const members = Object.entries(each.properties).map(([name, member]) => {
      const inner = shape(member);
      return `${name}${each.required?.includes(name) ? '' : '?'}${inner === '' ? '' : `: ${inner}`}`;
    });
    return `{ ${members.join(', ')} }`;
  };
  return `\`${shape(schema)}\``;
}

export function referencePage(): string {
  return [
    NOTE('reference.md'),
    '# Reference: manifest, hooks, capabilities',
    '',
    '## The manifest, `gatehouse.json`',
    '',
    '`gate validate` checks all of it and names every fault by its JSON pointer.',
    '',
    row('field', 'value', 'required', 'meaning'),
    row('---', '---', '---', '---'),
    ...fieldRows(ManifestSchema as unknown as Schema),
    '',
    '`limits` are in [limits and errors](limits-and-errors.md).',
    '',
    '## Hooks',
    '',
    'A hook is declared in `hooks` and handled under the same name in `definePlugin`. The handler gets `{ hook, eventId, occurredAt, payload }`;',
    '`eventId` is the same on every redelivery. Events that are delivered to an installation:',
    '',
    row('hook', 'payload'),
    row('---', '---'),
    ...hookRows(EVENT_HOOKS),
    '',
    'Events of the life of the installation, which the host alone raises:',
    '',
    row('hook', 'payload'),
    row('---', '---'),
    ...hookRows(LIFECYCLE_HOOKS),
    '',
    '## Capabilities',
    '',
    'A capability is declared with a reason, and granted by the operator, who reads both. [Each in detail](../capabilities.md).',
    '',
    row('capability', 'what the operator reads', 'calls'),
    row('---', '---', '---'),
    ...Object.entries(CAPABILITIES).map(([name, { purpose, calls }]) =>
      row(
        `\`${name}\``,
        purpose,
        Object.keys(calls)
          .map((call) => `\`${call}\``)
          .join(', ') || 'none',
      ),
    ),
    '',
  ].join('\n');
}

export function limitsPage(): string {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  const number = (value: number) => value.toLocaleString('en-US');
  return [
    NOTE('limits-and-errors.md'),
    '# Limits and errors',
    '',
    '## Limits',
    '',
    'The effective limit is the least of what the manifest asks for (`limits`), what the operator grants, and the ceiling. What the manifest',
    'does not name gets the default.',
    '',
    row('limit', 'default', 'ceiling', 'of what'),
    row('---', '---', '---', '---'),
    ...names.map((name) =>
      row(
        `\`${name}\``,
        number(DEFAULT_LIMITS[name]),
        number(CEILING_LIMITS[name]),
        (LimitsSchema.properties[name] as Schema).description ?? '',
      ),
    ),
    '',
    'A broken limit ends the invocation with a fault that names the limit, what was allowed and what was used.',
    '',
    '## What a plugin can do wrong',
    '',
    'The caller gets the code and the id of the invocation; message and frames in your own files are in `gate logs`, and most failures',
    'can be [replayed](replay.md).',
    '',
    row('code', 'what happened'),
    row('---', '---'),
    ...Object.entries(PLUGIN_FAULTS).map(([code, title]) => row(`\`${code}\``, title)),
    '',
    '## Why a capability refuses',
    '',
    'A refused call throws a `CapabilityError` with one of these as its `code`.',
    '',
    row('code', 'of', 'why'),
    row('---', '---', '---'),
    ...refusalRows(),
    '',
    '[All error codes](../errors.md), with what to do about each.',
    '',
  ].join('\n');
}

const refusalRows = (): string[] =>
  Object.entries(CAPABILITIES).flatMap(([name, { refusals }]) =>
    Object.entries(refusals as Record<string, string>).map(([code, why]) => row(`\`${code}\``, `\`${name}\``, why)),
  );

if (import.meta.main) {
  for (const [file, make] of Object.entries(PAGES)) writeFileSync(join(FOLDER, file), make());
}
