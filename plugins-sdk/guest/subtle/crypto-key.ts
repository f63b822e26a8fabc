import { DOMException } from '../dom-exception.ts';
import { freeze, NativeTypeError } from '../primordials.ts';
import { webClass } from '../web-class.ts';

export type KeyType = 'secret' | 'private' | 'public';
export type KeyUsage = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'deriveKey' | 'deriveBits' | 'wrapKey' | 'unwrapKey';

/** What the host computes with: bytes as base64, or the name of a secret that never enters the isolate. */
export type KeyMaterial =
  | { format: 'raw' | 'pkcs8' | 'spki'; bytes: string }
  | { format: 'raw' | 'pkcs8' | 'spki' | 'jwk'; secret: string };

export interface KeyFacts {
  type: KeyType;
  extractable: boolean;
  /** Such as `{ name: 'HMAC', hash: { name: 'SHA-256' }, length: 512 }`. */
  algorithm: { name: string; hash?: { name: string }; namedCurve?: string };
  usages: readonly KeyUsage[];
  material: KeyMaterial;
}

const BY_RUNTIME = {};
let factsOf: (key: CryptoKey) => KeyFacts;
let isKey: (value: unknown) => boolean;

/** Web Crypto's CryptoKey: a handle, whose bytes only `exportKey` shows. */
export class CryptoKey {
  readonly #facts: KeyFacts;

  static {
    factsOf = (key) => key.#facts;
    isKey = (value) => typeof value === 'object' && value !== null && #facts in value;
  }

  constructor(key: object | undefined = undefined, facts: KeyFacts | undefined = undefined) {
    if (key !== BY_RUNTIME || facts === undefined)
      throw new NativeTypeError('Illegal constructor: keys come from crypto.subtle');
    this.#facts = facts;
    freeze(facts.algorithm);
    freeze(facts.usages);
  }
  get type(): KeyType {
    return this.#facts.type;
  }
  get extractable(): boolean {
    return this.#facts.extractable;
  }
  get algorithm(): object {
    return this.#facts.algorithm;
  }
  get usages(): readonly KeyUsage[] {
    return this.#facts.usages;
  }
}
webClass(CryptoKey, 'CryptoKey');

export const makeKey = (facts: KeyFacts): CryptoKey => new CryptoKey(BY_RUNTIME, facts);

/** Facts of a key that may be used for this. Throws an InvalidAccessError where it may not, a TypeError where it is no key. */
export function keyFor(key: unknown, name: string, usage: KeyUsage): KeyFacts {
  const facts = keyFacts(key);
  if (facts.algorithm.name !== name) throw denied(`The key is for ${facts.algorithm.name}, not for ${name}`);
  for (let at = 0; at < facts.usages.length; at += 1) if (facts.usages[at] === usage) return facts;
  throw denied(`The key may not be used to ${usage}`);
}

export function keyFacts(key: unknown): KeyFacts {
  if (!isKey(key)) throw new NativeTypeError('This is no CryptoKey');
  return factsOf(key as CryptoKey);
}

const denied = (message: string): DOMException => new DOMException(message, 'InvalidAccessError');
