import {
  arrayPush,
  bytesIndexOf,
  bytesSet,
  charCodeAt,
  max,
  NativeTypeError,
  NativeUint8Array,
  stringIndexOf,
  stringLastIndexOf,
  stringLower,
  stringSlice,
  stringTrim,
  viewOfBytes,
} from '../primordials.ts';
import { utf8Decode, utf8Encode } from '../utf8.ts';
import { blobBytes, makeFile, withNewlines } from './blob.ts';
import { addEntry, FormData, formEntries } from './form-data.ts';
import { isToken } from './mime.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A form as multipart/form-data (RFC 7578, with the names written as HTML says). */
export function writeMultipart(form: FormData, boundary: string): Bytes {
  const entries = formEntries(form);
  const pieces: Bytes[] = [];
  let length = 0;
  const put = (bytes: Bytes): void => {
    arrayPush(pieces, bytes);
    length += bytes.length;
  };
  for (let at = 0; at < entries.length; at += 1) {
    const name = entries[at]![0];
    const value = entries[at]![1];
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapedName(withNewlines(name, '\r\n'))}"`;
    if (typeof value === 'string') {
      put(utf8Encode(`${head}\r\n\r\n${withNewlines(value, '\r\n')}\r\n`));
      continue;
    }
    head += `; filename="${escapedName(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
    put(utf8Encode(head));
    put(blobBytes(value));
    put(utf8Encode('\r\n'));
  }
  put(utf8Encode(`--${boundary}--\r\n`));
  const bytes = new NativeUint8Array(length);
  let to = 0;
  for (let at = 0; at < pieces.length; at += 1) {
    bytesSet(bytes, pieces[at]!, to);
    to += pieces[at]!.length;
  }
  return bytes;
}

function escapedName(name: string): string {
  let out = '';
  for (let at = 0; at < name.length; at += 1) {
    const unit = charCodeAt(name, at);
    if (unit === 10) out += '%0A';
    else if (unit === 13) out += '%0D';
    else if (unit === 34) out += '%22';
    else out += stringSlice(name, at, at + 1);
  }
  return out;
}

const CR = 13;
const LF = 10;
const DASH = 45;

/** Throws a TypeError for what is no multipart/form-data with this boundary. */
export function readMultipart(bytes: Bytes, boundary: string): FormData {
  const form = new FormData();
  const mark = utf8Encode(`--${boundary}`);
  let at = startsWith(bytes, mark, 0) ? 0 : findMark(bytes, mark, 0);
  if (at < 0) throw malformed('it has no boundary');
  for (;;) {
    at += mark.length;
    if (bytes[at] === DASH && bytes[at + 1] === DASH) return form;
    while (bytes[at] === 32 || bytes[at] === 9) at += 1;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw malformed('a boundary is not followed by a new line');
    const head = readHead(bytes, at + 2);
    const end = findMark(bytes, mark, head.end);
    if (end < 0) throw malformed('its last boundary is missing');
    const content = viewOfBytes(bytes, head.end, max(end - 2, head.end));
    if (head.filename === null) addEntry(form, head.name, withoutMark(utf8Decode(content, false)));
    else addEntry(form, head.name, makeFile(content, head.filename, head.type));
    at = end;
  }
}

const malformed = (why: string): TypeError => new NativeTypeError(`The body is no multipart/form-data: ${why}`);
const withoutMark = (text: string): string => (charCodeAt(text, 0) === 0xfeff ? stringSlice(text, 1) : text);

function startsWith(bytes: Bytes, part: Bytes, at: number): boolean {
  if (at + part.length > bytes.length) return false;
  for (let index = 0; index < part.length; index += 1) if (bytes[at + index] !== part[index]) return false;
  return true;
}

/** Where the next boundary is that begins a line, -1 where there is none. */
function findMark(bytes: Bytes, mark: Bytes, from: number): number {
  // An empty part has the new line of its head in common with its boundary.
  for (let at = bytesIndexOf(bytes, LF, from > 0 ? from - 1 : 0); at >= 0; at = bytesIndexOf(bytes, LF, at + 1)) {
    if (bytes[at - 1] === CR && startsWith(bytes, mark, at + 1)) return at + 1;
  }
  return -1;
}

interface PartHead {
  name: string;
  filename: string | null;
  type: string;
  /** Where the content begins. */
  end: number;
}

const HEAD_LINES_MAX = 32;

function readHead(bytes: Bytes, from: number): PartHead {
  let name: string | null = null;
  let filename: string | null = null;
  let type = 'text/plain';
  let at = from;
  for (let lines = 0; lines < HEAD_LINES_MAX; lines += 1) {
    const end = bytesIndexOf(bytes, LF, at);
    if (end < 0 || bytes[end - 1] !== CR) throw malformed('the head of a part does not end');
    if (end - 1 === at) {
      if (name === null) throw malformed('a part has no name');
      return { name, filename, type, end: end + 1 };
    }
    const line = utf8Decode(viewOfBytes(bytes, at, end - 1), false);
    const colon = stringIndexOf(line, ':');
    const field = colon < 0 ? '' : stringLower(stringTrim(stringSlice(line, 0, colon)));
    const value = stringTrim(stringSlice(line, colon + 1));
    if (field === 'content-disposition') {
      name = dispositionField(value, 'name');
      filename = dispositionField(value, 'filename');
    } else if (field === 'content-type') type = value;
    at = end + 1;
  }
  throw malformed('the head of a part is too long');
}

/**
 * A parameter of Content-Disposition: a token, or quoted with what browsers escape (RFC 7578, section 4.2). Null where there is none; throws
 * a TypeError where its value is neither.
 */
function dispositionField(text: string, field: string): string | null {
  let at = stringIndexOf(text, ';');
  while (at >= 0) {
    const equals = stringIndexOf(text, '=', at);
    if (equals < 0) return null;
    const name = stringLower(stringTrim(stringSlice(text, stringLastIndexOf(text, ';', equals) + 1, equals)));
    const from = equals + 1;
    const isQuoted = charCodeAt(text, from) === 34;
    const closed = isQuoted ? stringIndexOf(text, '"', from + 1) : from;
    if (closed < 0) throw malformed('a quoted name does not end');
    at = stringIndexOf(text, ';', closed);
    if (name !== field) continue;
    if (isQuoted) return unescapedName(stringSlice(text, from + 1, closed));
    const token = stringTrim(stringSlice(text, from, at < 0 ? text.length : at));
    if (!isToken(token)) throw malformed(`${field} is neither a token nor quoted`);
    return token;
  }
  return null;
}

function unescapedName(name: string): string {
  let out = '';
  for (let at = 0; at < name.length; at += 1) {
    const three = stringLower(stringSlice(name, at, at + 3));
    const plain = three === '%0a' ? '\n' : three === '%0d' ? '\r' : three === '%22' ? '"' : null;
    out += plain ?? stringSlice(name, at, at + 1);
    if (plain !== null) at += 2;
  }
  return out;
}
