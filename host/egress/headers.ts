export type HeaderPairs = [name: string, value: string][];

/** Names that decide how a message is framed, routed or attributed. The host sets them where they are needed (RFC 9110, 7.6). */
const HOSTS_OWN = new Set([
  'accept-encoding',
  'alt-svc',
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-real-ip',
]);
const HOSTS_OWN_PREFIXES = ['proxy-', 'sec-', 'x-forwarded-', 'x-gatehouse-'];

/** What may go to the origin that it was meant for, and to no other. */
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization']);
const OF_A_BODY = new Set(['content-encoding', 'content-language', 'content-location', 'content-type']);
/** What a response says about bytes that nobody sees: its body is handed on decoded. */
const OF_THE_TRANSFER = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/;
/** Tab is the one control character that a value may have (RFC 9110, 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a name is one that plugins, and secrets of theirs, may set. Lower case. */
export const isSettable = (name: string): boolean =>
  NAME.test(name) && !HOSTS_OWN.has(name) && !HOSTS_OWN_PREFIXES.some((prefix) => name.startsWith(prefix));

/** The first pair that HTTP cannot carry; line breaks are what it is about. Null where all can be carried. */
export const unsendable = (headers: HeaderPairs): string | null =>
  headers.find(([name, value]) => !NAME.test(name.toLowerCase()) || !VALUE.test(value))?.[0] ?? null;

const without = (headers: HeaderPairs, drops: (name: string) => boolean): HeaderPairs =>
  headers.filter(([name]) => !drops(name.toLowerCase()));

/** A plugin's headers without those that are the host's; as in browsers these are left out, not refused. */
export const settable = (headers: HeaderPairs): HeaderPairs =>
  without(headers, (name) => !isSettable(name)).map(([name, value]) => [name.toLowerCase(), value]);

export const withoutCredentials = (headers: HeaderPairs): HeaderPairs =>
  without(headers, (name) => CREDENTIALS.has(name));
export const withoutBody = (headers: HeaderPairs): HeaderPairs => without(headers, (name) => OF_A_BODY.has(name));
export const received = (headers: HeaderPairs): HeaderPairs =>
  without(headers, (name) => OF_THE_TRANSFER.has(name)).map(([name, value]) => [name.toLowerCase(), value]);

/** Headers with others set over them. */
export const withHeaders = (headers: HeaderPairs, over: HeaderPairs): HeaderPairs => {
  const names = new Set(over.map(([name]) => name.toLowerCase()));
  return [...without(headers, (name) => names.has(name)), ...over];
};

export const headerOf = (headers: HeaderPairs, name: string): string | null =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? null;
