import type { Json, WireRequest } from '../../../plugins-sdk/contract/index.ts';
import { REDACTION_NOTE, type Recording } from '../../../plugins-sdk/contract/recording.ts';
import { formsOf, Masks, parse, type Replace, SENSITIVE_NAME } from './masks.ts';
import { redactParts } from './redact-parts.ts';

/** What must not be stored as it is. */
export interface RedactionPlan {
  /** `personal` of the manifest. */
  personal: readonly string[];
  /** Values of secrets, which may stand anywhere. */
  secrets: readonly string[];
}

/**
 * The recording with placeholders for what must not be stored: personal values, secrets, and whatever is named like a
 * credential. One value has one placeholder wherever it stands, so that a replay that hands it on still hands on the same;
 * an e-mail address stays one. Null where there is too much to replace. Pure; never throws on what a plugin or caller wrote.
 */
export function redactRecording(recording: Recording, plan: RedactionPlan): Recording | null {
  const masks = new Masks();
  const texts = textsOf(recording);
  for (const secret of plan.secrets) {
    const forms = formsOf(secret);
    if (texts.some((text) => forms.some((form) => text.includes(form)))) masks.add(secret, 'secret', '(secrets)');
  }
  const pointers = plan.personal.map(splitPointer);
  const read = redactInput(recording.invocation.input, pointers, masks);
  const known = recording.calls.map(({ name, args, result }) => ({
    name,
    args,
    result: result && { ...result, json: redactResult(name, result.json, pointers, masks) },
  }));
  const calls = redactPieces(known, read, masks);
  if (masks.areTooMany()) return null;
  if (masks.places.size === 0) return recording;
  const replace = masks.everywhere();
  const { outcome } = recording;
  return {
    ...recording,
    invocation: { ...recording.invocation, input: replace.json(read.input) },
    calls: hideWritten(calls, replace).map(({ name, args, result }) => ({
      name,
      args: replace.json(args),
      result: result && { ...result, json: replace.json(result.json) },
    })),
    logs: recording.logs.map((line) => ({ ...line, json: replace.json(line.json) })),
    outcome:
      outcome.status === 'completed'
        ? { ...outcome, output: replace.json(outcome.output) }
        : { ...outcome, fault: maskFault(outcome.fault, replace.json) },
    redacted: { values: masks.count, places: [...masks.places], note: REDACTION_NOTE },
  };
}

type Calls = Recording['calls'];

/** What reading the input tells about the body, where that comes in pieces. */
interface Read {
  input: string;
  contentType: string;
  body: string[][];
}

/**
 * A body that the plugin read piece by piece is redacted as a whole, and given back in as many pieces: where a piece ends was the
 * network's doing.
 */
function redactPieces(calls: Calls, { contentType, body: pointers }: Read, masks: Masks): Calls {
  const pieces = calls.flatMap(({ name, result }, at) => {
    const piece = name === 'request.read' && result?.ok ? (parse(result.json) as { piece?: unknown })?.piece : null;
    return typeof piece === 'string' ? [{ at, bytes: Buffer.from(piece, 'base64') }] : [];
  });
  if (pieces.length === 0) return calls;
  const charset = MULTIPART.test(contentType) ? 'latin1' : 'utf8';
  const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString(charset);
  const redacted = redactBody(text, contentType, pointers, masks, charset).padEnd(pieces.length, ' ');
  if (redacted === text.padEnd(pieces.length, ' ')) return calls;
  const size = Math.ceil(redacted.length / pieces.length);
  const renewed = [...calls];
  pieces.forEach(({ at }, index) => {
    const part = redacted.slice(index * size, (index + 1) * size) || ' ';
    const json = JSON.stringify({ piece: Buffer.from(part, charset).toString('base64') });
    renewed[at] = { ...renewed[at]!, result: { ok: true, json } };
  });
  return renewed;
}

/** An answer that was written in pieces may hold a value across two of them; then no piece is kept. */
function hideWritten(calls: Calls, replace: Replace): Calls {
  const isWrite = ({ name }: Calls[number]) => name === 'response.write';
  const pieceOf = ({ args }: Calls[number]) => String((parse(args) as { piece?: unknown } | undefined)?.piece ?? '');
  const written = calls.filter(isWrite).map((call) => Buffer.from(replace.bytes(pieceOf(call)), 'base64'));
  if (written.length < 2 || !replace.finds(Buffer.concat(written).toString())) return calls;
  const args = JSON.stringify({ piece: Buffer.from('redacted').toString('base64') });
  return calls.map((call) => (isWrite(call) ? { ...call, args } : call));
}

type Fault = Extract<Recording['outcome'], { status: 'faulted' }>['fault'];

function maskFault(fault: Fault, mask: (text: string) => string): Fault {
  const masked = { ...fault, message: mask(fault.message) };
  if (fault.stack !== undefined) masked.stack = mask(fault.stack);
  return masked;
}

/** `/body/buyer/email` as its members. */
const splitPointer = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));

function redactInput(json: string, pointers: string[][], masks: Masks): Read {
  const below = (root: string) => pointers.filter(([first]) => first === root).map(([, ...rest]) => rest);
  const body = below('body');
  const input = parse(json) as { [name: string]: Json } | undefined;
  if (input === undefined) return { input: json, contentType: '', body };
  const context = input.context as { config?: Json } | undefined;
  if (context?.config) context.config = masks.within(context.config, below('config'), '/config');
  // What a plugin is asked to check.
  if (input.config) input.config = masks.within(input.config, below('config'), '/config');
  if (input.params) input.params = masks.within(input.params, below('params'), '/params');
  const event = input.event as { payload?: Json } | undefined;
  if (event?.payload) event.payload = masks.within(event.payload, below('payload'), '/payload');
  const request = input.request as unknown as WireRequest | undefined;
  const contentType = request?.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (request) redactRequest(request, contentType, below, masks);
  return { input: JSON.stringify(input), contentType, body };
}

function redactRequest(
  request: WireRequest,
  contentType: string,
  below: (root: string) => string[][],
  masks: Masks,
): void {
  const named = below('headers').map(([name = '*']) => name.toLowerCase());
  request.headers = request.headers.map(([name, value]) => {
    const personal = named.includes(name) || named.includes('*');
    if (!personal && !SENSITIVE_NAME.test(name)) return [name, value];
    return [name, masks.header(value, personal ? 'personal' : 'secret', `/headers/${name}`)];
  });
  request.url = redactQuery(request.url, below('query'), masks);
  const { body, bodyEncoding } = request;
  if (body === null) return;
  const charset = bodyEncoding === 'utf8' ? 'utf8' : 'latin1';
  const text = bodyEncoding === 'utf8' ? body : Buffer.from(body, 'base64').toString(charset);
  const redacted = redactBody(text, contentType, below('body'), masks, charset);
  if (redacted === text) return;
  // Files in other parts stay what they are.
  const asBytes = charset === 'latin1' && MULTIPART.test(contentType);
  Object.assign(
    request,
    asBytes ? { body: Buffer.from(redacted, charset).toString('base64') } : { body: redacted, bodyEncoding: 'utf8' },
  );
}

const MULTIPART = /^multipart\/form-data/i;

function redactBody(
  text: string,
  contentType: string,
  pointers: string[][],
  masks: Masks,
  charset: 'utf8' | 'latin1' = 'utf8',
): string {
  // Where something in one is personal, all of it is replaced.
  if (MULTIPART.test(contentType) && pointers.length === 0) {
    return redactParts(text, contentType, (value, name) =>
      masks.add(Buffer.from(value, charset).toString(), 'secret', `/body/${name}`),
    );
  }
  const isForm = /^application\/x-www-form-urlencoded/i.test(contentType);
  return isForm ? redactForm(text, pointers, masks, '/body') : masks.body(text, pointers, '/body');
}

function redactQuery(url: string, pointers: string[][], masks: Masks): string {
  const at = url.indexOf('?');
  return at < 0 ? url : `${url.slice(0, at)}?${redactForm(url.slice(at + 1), pointers, masks, '/query')}`;
}

/** `a=1&b=2`, of which only the values that are replaced are written anew. */
function redactForm(text: string, pointers: string[][], masks: Masks, place: string): string {
  const named = pointers.map(([name = '*']) => name);
  return text
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) return pair;
      const [name] = [...new URLSearchParams(`${pair.slice(0, at)}=`).keys()];
      const [value] = [...new URLSearchParams(`v=${pair.slice(at + 1)}`).values()];
      const personal = named.includes(name!) || named.includes('*');
      if (!personal && !SENSITIVE_NAME.test(name!)) return pair;
      const placeholder = masks.add(value!, personal ? 'personal' : 'secret', `${place}/${name}`);
      return `${pair.slice(0, at)}=${encodeURIComponent(placeholder)}`;
    })
    .join('&');
}

function redactResult(call: string, json: string, pointers: string[][], masks: Masks): string {
  const mine = pointers.filter(([root, name]) => root === 'results' && name === call).map(([, , ...rest]) => rest);
  const result = parse(json);
  if (result === undefined || result === null || typeof result !== 'object') return json;
  const before = masks.changes;
  const redacted = masks.within(result, mine, `/results/${call}`);
  return masks.changes === before ? json : JSON.stringify(redacted);
}

/** Everything that a plugin or a caller wrote, bytes in base64 also as text. */
function textsOf({ invocation, calls, logs, outcome }: Recording): string[] {
  const texts = [
    invocation.input,
    ...calls.flatMap(({ args, result }) => [args, result?.json ?? '']),
    ...logs.map(({ json }) => json),
    outcome.status === 'completed' ? outcome.output : `${outcome.fault.message}${outcome.fault.stack ?? ''}`,
  ];
  const bytes = texts.flatMap((text) => [...text.matchAll(BASE64)].map(([, base64]) => base64!));
  return [...texts, Buffer.concat(bytes.map((base64) => Buffer.from(base64, 'base64'))).toString()];
}

const BASE64 = /"(?:piece|body|bytes|input|output)":"([A-Za-z0-9+/]{4,}={0,2})"/g;
