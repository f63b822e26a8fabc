import { isSendableHeader, isSettableHeader } from '../../plugins-sdk/contract/index.ts';

export type HeaderPairs = [name: string, value: string][];

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

const without = (headers: HeaderPairs, drops: (name: string) => boolean): HeaderPairs =>
  headers.filter(([name]) => !drops(name.toLowerCase()));
const lowered = (headers: HeaderPairs): HeaderPairs => headers.map(([name, value]) => [name.toLowerCase(), value]);

export const areSendable = (headers: HeaderPairs): boolean => headers.every((pair) => isSendableHeader(...pair));

/** A plugin's headers without those that are the host's; as in browsers these are left out, not refused. */
export const settable = (headers: HeaderPairs): HeaderPairs =>
  lowered(headers).filter(([name]) => isSettableHeader(name));

export const withoutCredentials = (headers: HeaderPairs): HeaderPairs =>
  without(headers, (name) => CREDENTIALS.has(name));
export const withoutBody = (headers: HeaderPairs): HeaderPairs => without(headers, (name) => OF_A_BODY.has(name));
export const received = (headers: HeaderPairs): HeaderPairs =>
  lowered(without(headers, (name) => OF_THE_TRANSFER.has(name)));

/** Headers with others set over them. */
export const withHeaders = (headers: HeaderPairs, over: HeaderPairs): HeaderPairs => {
  const names = new Set(over.map(([name]) => name.toLowerCase()));
  return [...without(headers, (name) => names.has(name)), ...over];
};

export const headerOf = (headers: HeaderPairs, name: string): string | null =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? null;
