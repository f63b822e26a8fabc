import { arrayPush, charCodeAt, regExpExec, stringIndexOf, stringLower, stringSlice } from '../primordials.ts';

export interface Mime {
  essence: string;
  parameters: [name: string, value: string][];
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const QUOTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;
export const isToken = (text: string): boolean => regExpExec(TOKEN, text) !== null;
const isBlank = (unit: number): boolean => unit === 32 || unit === 9 || unit === 10 || unit === 13;

function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(charCodeAt(text, from))) from += 1;
  while (to > from && isBlank(charCodeAt(text, to - 1))) to -= 1;
  return stringSlice(text, from, to);
}

/** A media type (MIME Sniffing, section 4.4); null for what is none. */
export function readMime(given: string): Mime | null {
  const text = trimmed(given);
  const semicolon = stringIndexOf(text, ';');
  const essence = stringLower(trimmed(semicolon < 0 ? text : stringSlice(text, 0, semicolon)));
  const slash = stringIndexOf(essence, '/');
  if (slash < 0 || !isToken(stringSlice(essence, 0, slash)) || !isToken(stringSlice(essence, slash + 1))) return null;
  const parameters: Mime['parameters'] = [];
  let at = semicolon < 0 ? text.length : semicolon + 1;
  while (at < text.length) {
    const read = readParameter(text, at);
    at = read.end;
    const { name, value } = read;
    if (
      name !== '' &&
      isToken(name) &&
      value !== null &&
      regExpExec(QUOTABLE, value) !== null &&
      !has(parameters, name)
    ) {
      arrayPush(parameters, [name, value]);
    }
  }
  return { essence, parameters };
}

function readParameter(text: string, from: number): { name: string; value: string | null; end: number } {
  let at = from;
  while (at < text.length && isBlank(charCodeAt(text, at))) at += 1;
  const start = at;
  while (at < text.length && charCodeAt(text, at) !== 59 && charCodeAt(text, at) !== 61) at += 1;
  const name = stringLower(stringSlice(text, start, at));
  if (at >= text.length || charCodeAt(text, at) === 59) return { name, value: null, end: at + 1 };
  at += 1;
  if (charCodeAt(text, at) !== 34) {
    const end = stringIndexOf(text, ';', at);
    const value = trimmed(stringSlice(text, at, end < 0 ? text.length : end));
    return { name, value: value === '' ? null : value, end: end < 0 ? text.length : end + 1 };
  }
  let value = '';
  at += 1;
  for (; at < text.length && charCodeAt(text, at) !== 34; at += 1) {
    if (charCodeAt(text, at) === 92 && at + 1 < text.length) at += 1;
    value += stringSlice(text, at, at + 1);
  }
  const end = stringIndexOf(text, ';', at);
  return { name, value, end: end < 0 ? text.length : end + 1 };
}

function has(parameters: Mime['parameters'], name: string): boolean {
  return parameterOf({ essence: '', parameters }, name) !== null;
}

export function parameterOf({ parameters }: Mime, name: string): string | null {
  for (let at = 0; at < parameters.length; at += 1) if (parameters[at]![0] === name) return parameters[at]![1];
  return null;
}

export function writeMime({ essence, parameters }: Mime): string {
  let text = essence;
  for (let at = 0; at < parameters.length; at += 1) {
    const name = parameters[at]![0];
    const value = parameters[at]![1];
    text += `;${name}=${isToken(value) ? value : quoted(value)}`;
  }
  return text;
}

function quoted(value: string): string {
  let text = '';
  for (let at = 0; at < value.length; at += 1) {
    const unit = charCodeAt(value, at);
    text += unit === 34 || unit === 92 ? `\\${stringSlice(value, at, at + 1)}` : stringSlice(value, at, at + 1);
  }
  return `"${text}"`;
}
