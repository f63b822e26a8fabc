import { isUtf8 } from 'node:buffer';
import { HostRefusal } from '../errors.ts';

export const JSON_DEPTH_MAX = 32;

/** `application/json`, also with parameters; RFC 8259 knows no charset, and others than UTF-8 are refused. */
const JSON_MEDIA_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Refuses with: content-type-unsupported. */
export function requireJson(contentType: string | undefined): void {
  if (contentType !== undefined && JSON_MEDIA_TYPE.test(contentType)) return;
  throw new HostRefusal('content-type-unsupported', 'Send JSON with `Content-Type: application/json`.', {
    contentType: contentType ?? null,
  });
}

/**
 * Parses a body so that nothing surprising comes out: well-formed UTF-8, at most JSON_DEPTH_MAX levels (checked before
 * parsing), no member given twice, no `__proto__`, no text that PostgreSQL cannot store. Refuses with: body-malformed.
 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw malformed('The body is empty; send a JSON document.');
  if (!isUtf8(bytes)) throw malformed('The body is not well-formed UTF-8.');
  const text = bytes.toString('utf8');
  const depth = depthOf(text);
  if (depth > JSON_DEPTH_MAX) throw malformed(`The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
  const value = parsed(text);
  checkMembers(text);
  // Everything else needs an escape, or that very name, so most bodies are not walked.
  if (text.includes('\\u') || text.includes('__proto__')) checkText(value, '');
  return value;
}

const malformed = (message: string, facts: Record<string, unknown> = {}) =>
  new HostRefusal('body-malformed', message, facts);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's own message quotes the text, which may hold a secret; some of its messages know the position.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw malformed(`The body is not well-formed JSON${at === undefined ? '' : ` at character ${at}`}.`);
  }
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Index of the quote that ends the string starting at `from`, or the text's length. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
    if ((end - escapes) % 2 === 0) return end;
  }
  return text.length;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = stringEnd(text, at);
    else if (unit === 123 || unit === 91) deepest = Math.max(deepest, ++depth);
    else if (unit === 125 || unit === 93) depth--;
  }
  return deepest;
}

/** Refuses a member that is given twice: readers disagree which one counts. The text is known to be well-formed. */
function checkMembers(text: string): void {
  const open: (Set<string> | null)[] = [];
  let nameNext = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      const end = stringEnd(text, at);
      const members = open.at(-1);
      if (nameNext && members) addMember(members, text.slice(at, end + 1));
      nameNext = false;
      at = end;
    } else if (unit === 123) {
      open.push(new Set());
      nameNext = true;
    } else if (unit === 91) {
      open.push(null);
      nameNext = false;
    } else if (unit === 125 || unit === 93) {
      open.pop();
    } else if (unit === 44) {
      nameNext = open.at(-1) instanceof Set;
    }
  }
}

function addMember(members: Set<string>, quoted: string): void {
  const name = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
  if (members.has(name)) throw malformed(`The member "${shortened(name)}" is given twice.`);
  members.add(name);
}

const shortened = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text);

function checkText(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed() || value.includes('\0')) {
      throw malformed('A text holds U+0000 or half a surrogate pair.', { pointer });
    }
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) checkText(value[at], `${pointer}/${at}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (name === '__proto__') throw malformed('A member may not be called __proto__.', { pointer });
      checkText(name, pointer);
      checkText(member, `${pointer}/${shortened(name)}`);
    }
  }
}
