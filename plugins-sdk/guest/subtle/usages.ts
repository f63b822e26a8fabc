import { DOMException } from '../dom-exception.ts';
import { apply, arrayPush, NativeTypeError, symbolIterator } from '../primordials.ts';
import type { KeyType, KeyUsage } from './crypto-key.ts';

const USAGES: readonly KeyUsage[] = [
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'deriveKey',
  'deriveBits',
  'wrapKey',
  'unwrapKey',
];

/** The usages of a list, each once, in the order of Web Crypto. Throws a TypeError for others. */
export function readUsages(given: unknown): KeyUsage[] {
  const iterate = (given as Record<symbol, unknown> | null | undefined)?.[symbolIterator];
  if (typeof iterate !== 'function' || typeof given !== 'object') throw new NativeTypeError('keyUsages is a list');
  const iterator = apply(iterate as () => unknown, given, []) as { next(): { done?: boolean; value: unknown } };
  const { next } = iterator;
  const asked: KeyUsage[] = [];
  for (;;) {
    const step = apply(next, iterator, []) as { done?: boolean; value: unknown };
    if (step.done) break;
    const name = `${step.value as string}` as KeyUsage;
    if (!includes(USAGES, name)) throw new NativeTypeError('keyUsages has something that is no usage');
    arrayPush(asked, name);
  }
  const usages: KeyUsage[] = [];
  for (let at = 0; at < USAGES.length; at += 1) if (includes(asked, USAGES[at]!)) arrayPush(usages, USAGES[at]!);
  return usages;
}

export function includes(list: readonly string[], item: string): boolean {
  for (let at = 0; at < list.length; at += 1) if (list[at] === item) return true;
  return false;
}

const OF_DERIVING: readonly KeyUsage[] = ['deriveKey', 'deriveBits'];
const OF_CIPHERS: readonly KeyUsage[] = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];

function allowedFor(name: string, type: KeyType): readonly KeyUsage[] {
  if (name === 'HKDF' || name === 'PBKDF2') return OF_DERIVING;
  if (name === 'AES-GCM') return OF_CIPHERS;
  if (name === 'HMAC') return ['sign', 'verify'];
  return type === 'private' ? ['sign'] : ['verify'];
}

/** Throws a SyntaxError for a usage that a key of this kind cannot have. */
export function checkKind(name: string, type: KeyType, usages: readonly KeyUsage[]): void {
  const allowed = allowedFor(name, type);
  for (let at = 0; at < usages.length; at += 1) {
    if (!includes(allowed, usages[at]!)) {
      throw new DOMException(`A ${type} key for ${name} cannot ${usages[at]!}`, 'SyntaxError');
    }
  }
}

/** The same, and for a key that could not be used at all. */
export function checkUsages(name: string, type: KeyType, usages: readonly KeyUsage[]): void {
  checkKind(name, type, usages);
  if (usages.length === 0 && type !== 'public') throw new DOMException('keyUsages is empty', 'SyntaxError');
}

/** Those of a pair that this half can have. */
export function usagesOf(type: 'private' | 'public', usages: readonly KeyUsage[]): KeyUsage[] {
  const wanted = type === 'private' ? 'sign' : 'verify';
  return includes(usages, wanted) ? [wanted] : [];
}
