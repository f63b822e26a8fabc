import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { METHODS } from '../../contract/index.ts';
import type { ApiClient } from '../api-client.ts';
import { readAnswer } from '../api-transport.ts';
import { type Cli, errorText, verb } from '../command-line.ts';
import { CliError, ServerRefusal } from '../errors.ts';
import { oneLine, type Paint } from '../terminal.ts';

export interface CallCommand {
  /** `<slug>` of an installation of the token's own operator, or `<operator>/<slug>`. */
  target: string;
  method: string;
  /** Begins with `/`; with the query, if any. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

export interface CallAnswer {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
  /** Finds the invocation in `gate logs`. */
  invocationId: string | null;
}

/** Calling these twice does no more than calling them once (RFC 9110, 9.2.1); a plugin's PUT and DELETE may differ. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Calls a plugin through the data plane; any status is an answer. Refuses with: usage, host-unreachable, host-timeout. */
export const callPlugin =
  (api: Pick<ApiClient, 'raw' | 'whoami'>) =>
  async ({ target, method, path, headers, body }: CallCommand): Promise<CallAnswer> => {
    if (!path.startsWith('/')) throw new CliError('usage', `The path "${path}" must begin with a slash.`);
    const parts = target.split('/');
    const [operator, slug] = parts.length === 2 ? parts : [(await api.whoami()).organisation.slug, target];
    if (!operator || !slug || parts.length > 2) {
      throw new CliError('usage', `"${target}" names no installation; give <slug> or <operator>/<slug>.`);
    }
    const answer = await api.raw({
      method,
      path: `/run/${encodeURIComponent(operator)}/${encodeURIComponent(slug)}${path}`,
      headers,
      body,
      idempotent: SAFE_METHODS.includes(method),
    });
    const invocationId = answer.headers.find(([name]) => name === 'x-gatehouse-invocation')?.[1] ?? null;
    return { ...answer, invocationId };
  };

interface CallOptions {
  body?: string;
  data?: string;
  header: string[];
  include?: true;
  record?: true;
}

export function callCommand(cli: Cli): void {
  verb(cli, {
    name: 'call',
    summary: 'Call a route of an installation; exit code 1 for a status of 400 and above',
    examples: [
      'gate call hello GET /greetings/Ada',
      `gate call acme-shop/shop POST /pool/vpn-year --body '{"keys":["AAAA-1"]}' --include`,
      'gate call shop PUT /logo --data @logo.png --header "content-type: image/png"',
    ],
  })
    .argument('<installation>', '<slug> or <operator>/<slug>')
    .argument('<method>', METHODS.join(', '), readMethod)
    .argument('<path>', 'path of the route, with the query')
    .option('--body <text>', 'body; sent as JSON where it is JSON')
    .option('--data <@file>', 'body from a file')
    .option('-H, --header <line>', '"name: value"; may be given several times', collect, [])
    .option('-i, --include', 'show the headers of the answer')
    .option('--record', 'have it recorded, for gate replay; for operators')
    .action(
      cli.answer(async (target: string, method: string, path: string, options: CallOptions) => {
        const sent = await readBody(options, cli.settings.cwd);
        const record: Record<string, string> = options.record ? { 'x-gatehouse-record': '1' } : {};
        const headers = { ...sent?.headers, ...Object.fromEntries(options.header.map(readHeader)), ...record };
        // Public routes can be called by anybody; a bare slug needs to know whose it is.
        const api = await cli.api({ anonymous: target.includes('/') });
        const answer = await callPlugin(api)({ target, method, path, headers, body: sent?.body });
        return {
          value: callValue(answer),
          text: (paint) => callText(paint, answer, { include: options.include === true, url: api.url }),
          exitCode: answer.status >= 400 ? 1 : 0,
        };
      }),
    );
}

function readMethod(text: string): string {
  const method = text.toUpperCase();
  if ((METHODS as readonly string[]).includes(method)) return method;
  throw new CliError('usage', `"${text}" is no method; there are: ${METHODS.join(', ')}.`);
}

const collect = (line: string, lines: string[]): string[] => [...lines, line];

function readHeader(line: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new CliError('usage', `--header "${line}" must be "name: value".`);
  return [name.toLowerCase(), value];
}

const TYPES: Record<string, string> = { '.json': 'application/json', '.txt': 'text/plain; charset=utf-8' };

/** Refuses with: usage, file-unreadable. */
async function readBody(
  { body, data }: CallOptions,
  cwd: string,
): Promise<{ body: string | Uint8Array<ArrayBuffer>; headers: Record<string, string> } | null> {
  if (body !== undefined && data !== undefined) throw new CliError('usage', 'Give --body or --data, not both.');
  if (body !== undefined) return { body, headers: { 'content-type': isJson(body) ? TYPES['.json']! : TYPES['.txt']! } };
  if (data === undefined) return null;
  if (!data.startsWith('@')) throw new CliError('usage', '--data takes @ and a file name; use --body for text.');
  const path = resolve(cwd, data.slice(1));
  const bytes = await readFile(path).catch((error) => {
    throw new CliError('file-unreadable', `--data ${path} cannot be read: ${error.message}`, { path });
  });
  return {
    body: new Uint8Array(bytes),
    headers: { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The body as JSON where it is JSON, else as text, else as base64; `bodyEncoding` says which. */
function callValue({ status, headers, body, invocationId }: CallAnswer) {
  const text = isUtf8(body) ? body.toString('utf8') : null;
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (text !== null && /\bjson\b/.test(type) && isJson(text)) {
    return { status, headers, invocationId, bodyEncoding: 'json', body: JSON.parse(text) };
  }
  return text === null
    ? { status, headers, invocationId, bodyEncoding: 'base64', body: body.toString('base64') }
    : { status, headers, invocationId, bodyEncoding: 'utf8', body: text };
}

function callText(paint: Paint, answer: CallAnswer, { include, url }: { include: boolean; url: string }): string {
  const { status, headers, body, invocationId } = answer;
  const style = status < 300 ? 'green' : status < 400 ? 'cyan' : 'red';
  const invocation = invocationId ? paint('dim', `  invocation ${oneLine(invocationId)}`) : '';
  const lines = [`${paint(style, String(status))}${invocation}`];
  if (include)
    lines.push(...headers.map(([name, value]) => `${paint('dim', `${oneLine(name)}:`)} ${oneLine(value)}`), '');
  const refusal = hostRefusal(answer, url);
  if (refusal !== null) lines.push(errorText(refusal, paint));
  else if (body.length > 0)
    lines.push(isUtf8(body) ? body.toString('utf8') : `(${body.length} bytes that are not text; see --json)`);
  return lines.join('\n');
}

/** What the host, and not the plugin, has to say against the call. */
function hostRefusal({ status, headers, body }: CallAnswer, url: string): ServerRefusal | null {
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (status < 400 || !type.startsWith('application/problem+json')) return null;
  try {
    readAnswer({ status, headers, body }, url);
    return null;
  } catch (error) {
    return error instanceof ServerRefusal ? error : null;
  }
}
