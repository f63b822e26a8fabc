/** Names that decide how a message is framed, routed or attributed. The host sets them where they are needed (RFC 9110, 7.6). */
const HOSTS_OWN: ReadonlySet<string> = new Set([
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

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/;
/** Tab is the one control character that a value may have (RFC 9110, 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a header is one that plugins, and secrets of theirs, may set on a request. In lower case. */
export const isSettableHeader = (name: string): boolean =>
  NAME.test(name) && !HOSTS_OWN.has(name) && !HOSTS_OWN_PREFIXES.some((prefix) => name.startsWith(prefix));

/** Whether HTTP can carry a header. Line breaks are what this is about: they would begin another one. */
export const isSendableHeader = (name: string, value: string): boolean =>
  NAME.test(name.toLowerCase()) && VALUE.test(value);
